"""Sessions as people and the API read them: the list, one session, its transcript and timeline."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.models import ChatSession, Message, SessionEvent, User
from app.reporting.pages import AtLeast as AtLeast
from app.reporting.pages import Keyset, Page, cursor_after, cursor_before, number
from app.reporting.session_filter import COUNTED_SHARE, Chosen, among
from app.reporting.session_filter import NEWEST_FIRST as NEWEST_FIRST
from app.reporting.session_filter import SessionFilter as SessionFilter
from app.reporting.session_filter import choose as choose
from app.reporting.session_rows import LastMessage as LastMessage
from app.reporting.session_rows import SessionRow as SessionRow
from app.reporting.session_rows import session_rows

#: How many messages a page shows after one it was asked to show.
MESSAGES_AFTER = 40
OLDEST_MESSAGE_FIRST = Keyset(Message.created_at, Message.id, number, is_newest_first=False)
NEWEST_MESSAGE_FIRST = Keyset(Message.created_at, Message.id, number)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A change of status; `user_name` when a person made it."""

    event: SessionEvent
    user_name: str | None


def list_page(
    session: Session,
    wanted: SessionFilter,
    *,
    limit: int = 50,
    cursor: str | None = None,
    chosen: Chosen | None = None,
) -> Page[SessionRow]:
    """One page, newest first. Raises Invalid for a wrong cursor. `chosen`: what `choose` gave for
    this filter, when it was asked already.

    Where many sessions have to be asked whether they are wanted, so many are asked that the page
    is there at once: it may then be short or empty and still have a `next_cursor`, to go on
    looking; `looked_back_to` says how far it got.
    """
    chosen = chosen or choose(session, wanted)
    rows = session_rows(session, chosen.cut(limit, cursor), wanted.words)
    # Rows come back newest first; towards the newer end the one too many is the first.
    page = NEWEST_FIRST.page(
        rows, lambda row: (row.session.started_at, row.session.id), limit, cursor
    )
    last_asked = None if len(rows) > limit else chosen.last_asked(cursor)
    last = None if last_asked is None else session.execute(last_asked).one_or_none()
    return page if last is None else NEWEST_FIRST.unfinished(page, (last[1], last[0]), cursor)


def by_ids(
    session: Session, ids: Sequence[uuid.UUID], wanted: SessionFilter | None = None
) -> list[SessionRow]:
    """Those of these sessions that still exist and pass the filter, newest first."""
    wanted = wanted or SessionFilter()
    return session_rows(session, among(ids, wanted), wanted.words)


def one(session: Session, session_id: uuid.UUID) -> SessionRow:
    """Raises NotFound."""
    rows = by_ids(session, [session_id])
    if not rows:
        raise NotFound("There is no session with this id. It may have been deleted.")
    return rows[0]


def counted(
    session: Session, wanted: SessionFilter, most: int = 999, chosen: Chosen | None = None
) -> int:
    """How many sessions pass the filter; `most` + 1 stands for more than `most`. Where `list_page`
    asks session by session, this asks fewer of them: then AtLeast.
    """
    chosen = chosen or choose(session, wanted)
    chosen = replace(chosen, most_asked=max(chosen.most_asked // COUNTED_SHARE, 1))
    found = chosen.cut(most, None).subquery()
    number = session.scalar(select(func.count()).select_from(found)) or 0
    last_asked = None if number > most else chosen.last_asked(None)
    is_all = last_asked is None or session.execute(last_asked).first() is None
    return number if is_all else AtLeast(number)


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
    chosen, at = choose(session, wanted), (key[0], key[1])
    newer, older = (chosen.cut(0, cursor) for cursor in (cursor_before(at), cursor_after(at)))
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
