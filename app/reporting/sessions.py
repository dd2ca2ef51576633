"""Sessions as people and the API read them: the list, one session, its transcript and timeline."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true, tuple_
from sqlalchemy.orm import Session, defer

from app.core.errors import NotFound
from app.models import ChatSession, Lead, Message, SessionEvent, Site, User
from app.reporting.pages import AnySelect, Keyset, Page, cursor_after, cursor_before, number
from app.reporting.session_filter import SessionFilter as SessionFilter
from app.reporting.session_filter import filtered

#: Of a list's last message; the session's own page has the whole text.
PREVIEW_LENGTH = 1000
#: How many messages a page shows after one it was asked to show.
MESSAGES_AFTER = 40
NEWEST_FIRST = Keyset(ChatSession.started_at, ChatSession.id, uuid.UUID)
OLDEST_MESSAGE_FIRST = Keyset(Message.created_at, Message.id, number, is_newest_first=False)
NEWEST_MESSAGE_FIRST = Keyset(Message.created_at, Message.id, number)


@dataclass(frozen=True, slots=True)
class LastMessage:
    role: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session with what every list shows beside it."""

    session: ChatSession
    site_key: str
    site_name: str
    site_phrases: tuple[str, ...]
    site_exclusions: tuple[str, ...]
    lead: Lead | None
    last_message: LastMessage | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A change of status; `user_name` when a person made it."""

    event: SessionEvent
    user_name: str | None


def list_page(
    session: Session, wanted: SessionFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[SessionRow]:
    """One page, newest first, by one query. Raises Invalid for a wrong cursor."""
    ids = NEWEST_FIRST.cut(filtered(select(ChatSession.id), wanted), limit, cursor)
    rows = _rows(session, ids)
    # Rows come back newest first; towards the newer end the one too many is the first.
    return NEWEST_FIRST.page(
        rows, lambda row: (row.session.started_at, row.session.id), limit, cursor
    )


def by_ids(
    session: Session, ids: Sequence[uuid.UUID], wanted: SessionFilter | None = None
) -> list[SessionRow]:
    """Those of these sessions that still exist and pass the filter, newest first."""
    statement = select(ChatSession.id).where(ChatSession.id.in_(ids))
    return _rows(session, filtered(statement, wanted or SessionFilter()))


def one(session: Session, session_id: uuid.UUID) -> SessionRow:
    """Raises NotFound."""
    rows = by_ids(session, [session_id])
    if not rows:
        raise NotFound("There is no session with this id. It may have been deleted.")
    return rows[0]


def counted(session: Session, wanted: SessionFilter, most: int = 999) -> int:
    """How many sessions pass the filter; `most` + 1 stands for more than `most`."""
    found = filtered(select(ChatSession.id), wanted).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def neighbours(
    session: Session, wanted: SessionFilter, session_id: uuid.UUID
) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """The ids of the next newer and the next older session that pass the filter, also of a session
    that does not pass itself. None: there is none. Raises NotFound.
    """
    key = session.execute(
        select(ChatSession.started_at, ChatSession.id).where(ChatSession.id == session_id)
    ).one_or_none()
    if key is None:
        raise NotFound("There is no session with this id. It may have been deleted.")
    newer, older = (
        NEWEST_FIRST.cut(filtered(select(ChatSession.id), wanted), 0, cursor)
        for cursor in (cursor_before((key[0], key[1])), cursor_after((key[0], key[1])))
    )
    return session.scalar(newer), session.scalar(older)


def messages_page(
    session: Session, session_id: uuid.UUID, *, limit: int = 50, cursor: str | None = None
) -> Page[Message]:
    """A session's messages, oldest first. Raises NotFound, and Invalid for a wrong cursor."""
    if session.scalar(select(ChatSession.id).where(ChatSession.id == session_id)) is None:
        raise NotFound("There is no session with this id. It may have been deleted.")
    return _messages(session, OLDEST_MESSAGE_FIRST, session_id, limit, cursor)


def latest_messages(
    session: Session, session_id: uuid.UUID, *, limit: int = 200, cursor: str | None = None
) -> Page[Message]:
    """As a chat window shows them: the newest ones, or by the cursor those before them."""
    return _messages(session, NEWEST_MESSAGE_FIRST, session_id, limit, cursor)


def cursor_around(session: Session, session_id: uuid.UUID, message_id: int) -> str | None:
    """For `latest_messages`: the piece that holds this message and some that follow it. None: that
    is the newest one, or there is no such message.
    """
    at = select(Message.created_at).where(
        Message.id == message_id, Message.session_id == session_id
    )
    later = (
        select(Message.created_at, Message.id)
        .where(
            Message.session_id == session_id,
            tuple_(Message.created_at, Message.id) > tuple_(at.scalar_subquery(), message_id),
        )
        .order_by(Message.created_at, Message.id)
        .offset(MESSAGES_AFTER)
        .limit(1)
    )
    found = session.execute(later).one_or_none()
    return found and cursor_after((found[0], found[1]))


def timeline(session: Session, session_id: uuid.UUID) -> list[TimelineEntry]:
    """What happened to the session's status, oldest first."""
    statement = (
        select(SessionEvent, func.coalesce(func.nullif(User.name, ""), User.email))
        .outerjoin(User, User.id == SessionEvent.user_id)
        .where(SessionEvent.session_id == session_id)
        .order_by(SessionEvent.at, SessionEvent.id)
    )
    return [TimelineEntry(event, name) for event, name in session.execute(statement)]


def _messages(
    session: Session, keyset: Keyset, session_id: uuid.UUID, limit: int, cursor: str | None
) -> Page[Message]:
    statement = keyset.cut(select(Message).where(Message.session_id == session_id), limit, cursor)
    found = list(session.scalars(statement))
    found.sort(key=lambda m: (m.created_at, m.id), reverse=keyset.is_newest_first)
    return keyset.page(found, lambda m: (m.created_at, m.id), limit, cursor)


def _rows(session: Session, ids: AnySelect) -> list[SessionRow]:
    chosen = ids.subquery("chosen")
    last = (
        select(
            Message.role,
            func.left(Message.text, PREVIEW_LENGTH).label("text"),
            Message.created_at,
        )
        .where(Message.session_id == ChatSession.id)
        .order_by(Message.id.desc())
        .limit(1)
        .lateral("last_message")
    )
    statement = (
        select(
            ChatSession, Site.key, Site.name, Site.phrases, Site.exclusions, Lead,
            last.c.role, last.c.text, last.c.created_at,
        )
        .join(chosen, chosen.c.id == ChatSession.id)
        .join(Site, Site.id == ChatSession.site_id)
        .outerjoin(Lead, Lead.session_id == ChatSession.id)
        .outerjoin(last, true())
        .options(defer(ChatSession.draft, raiseload=True))
    )  # fmt: skip
    return [
        SessionRow(
            session=chat,
            site_key=site_key,
            site_name=site_name,
            site_phrases=tuple(phrases),
            site_exclusions=tuple(exclusions),
            lead=lead,
            last_message=LastMessage(role, text, at) if role else None,
        )
        for chat, site_key, site_name, phrases, exclusions, lead, role, text, at in (
            session.execute(NEWEST_FIRST.order(statement))
        )
    ]
