"""Bringing lines from outside, and what has to hold afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.chat.ingest import Incoming, Ingested, Outside, ingest
from app.core import clock
from app.models import ChatSession, Message, Site
from app.models.memory import MemorySource

PROMISE = "Thank you! We will be in touch within 24 hours."


def make_source(session: Session) -> int:
    now = clock.now()
    made = MemorySource(table_name=f"t{uuid.uuid4().hex}", created_at=now)
    session.add(made)
    session.flush()
    return made.id


def row(number: int, role: str, words: str) -> Incoming:
    return Incoming(role, words, source_row=number)  # type: ignore[arg-type]


def pushed(external_id: str, role: str, words: str, minutes_ago: float | None = None) -> Incoming:
    said_at = None if minutes_ago is None else clock.now() - timedelta(minutes=minutes_ago)
    return Incoming(role, words, external_id, said_at=said_at)  # type: ignore[arg-type]


def bring(
    session: Session,
    site: Site,
    lines: Sequence[Incoming],
    *,
    key: str = "S-1",
    source: int | None = None,
    channel: str = "n8n",
    cause: str = "auto_sync",
) -> Ingested:
    outside = Outside(site.id, channel, key, lines)  # type: ignore[arg-type]
    done = ingest(session, [outside], cause=cause, source_id=source)
    session.expire_all()
    return done


def transcript(session: Session, session_id: uuid.UUID) -> list[tuple[str, str]]:
    found = session.scalars(
        select(Message)
        .where(Message.session_id == session_id)
        .order_by(Message.created_at, Message.id)
    )
    return [(each.role, each.text) for each in found]


def check_counters(session: Session, session_id: uuid.UUID) -> None:
    session.expire_all()
    chat = session.get_one(ChatSession, session_id)
    lines = transcript(session, session_id)
    newest = session.scalar(
        select(func.max(Message.created_at)).where(Message.session_id == session_id)
    )
    roles = [role for role, _ in lines]
    is_engaged = "visitor" in roles and "assistant" in roles[roles.index("visitor") :]
    assert (chat.message_count, chat.assistant_engaged) == (len(lines), is_engaged)
    assert newest is None or (chat.last_message_at or newest) >= newest
