"""Sessions as they should be, and words for breaking them by hand."""

from __future__ import annotations

import uuid
from typing import Any

from click.testing import Result as Output
from flask import Flask
from sqlalchemy import select, text

from app.completion.complete import complete
from app.core.db import db, transaction
from app.delivery.send import drain
from app.models import ChatSession, Lead, Site
from app.models.transcript import Answer, Draft
from app.upkeep.doctor import examine
from tests.factories import make_chat, make_message, make_site

PROMISE = "We will contact you within 24 hours."


def talk(*lines: tuple[str, str], **site: Any) -> uuid.UUID:
    """A session with these lines, judged and found to promise nothing, and a known e-mail."""
    draft = Draft().with_answer("email", Answer("ann@example.com")).to_json()
    with transaction() as session:
        chat = make_chat(session, make_site(session, **site), draft=draft)
        said = lines or (("assistant", "Hello!"), ("visitor", "Hi"), ("assistant", "A kitchen?"))
        for role, words in said:
            message = make_message(session, chat, role=role, text=words, is_checked=True)
            chat.last_message_at = message.created_at
        roles = [role for role, _ in said]
        if "visitor" in roles:
            chat.assistant_engaged = "assistant" in roles[roles.index("visitor") :]
        return chat.id


def settle(chat_id: uuid.UUID, *, is_sent: bool = True) -> uuid.UUID:
    """Complete it as a person would, and have it delivered. Gives its lead's id."""
    with transaction() as session:
        site = session.get_one(Site, session.get_one(ChatSession, chat_id).site_id)
        complete(session, chat_id, site.profile(), cause="user")
    if is_sent:
        drain("n8n")
    with transaction() as session:
        return session.scalars(select(Lead.id).where(Lead.session_id == chat_id)).one()


def found(*, fix: bool = False) -> dict[str, int]:
    return {result.check: result.count for result in examine(fix=fix) if result.count}


def sql(statement: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(text(statement), values)


def number(statement: str, **values: Any) -> int:
    db.session.rollback()
    return db.session.scalar(text(statement), values) or 0


def flask(app: Flask, *arguments: str) -> Output:
    return app.test_cli_runner().invoke(args=["doctor", *arguments])
