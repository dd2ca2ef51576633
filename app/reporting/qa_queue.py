"""The sessions that wait for a reviewer: who is next, how many are left, and as a list."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Text, and_, column, func, select, true, tuple_, values
from sqlalchemy.orm import Session

from app.models import ChatSession, Message, QaMove, Site, User
from app.models.chat_session import COMPLETION_STATUSES
from app.reporting.pages import AnySelect, Page
from app.reporting.sessions import NEWEST_FIRST
from app.review.qa_looks import of_others

#: Where counting stops.
MOST_COUNTED = 999


@dataclass(frozen=True, slots=True)
class Queue:
    """Sessions of one QA status that are not archived, in which a visitor said something.

    `site`: only of the site with this key.
    """

    qa_status: str
    site: str | None = None
    is_completed: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session of the list with the decision it waits on, and who made it."""

    session: ChatSession
    site_name: str
    move: QaMove | None
    user_name: str | None


def next_after(
    session: Session, queue: Queue, user_id: uuid.UUID, after: uuid.UUID | None = None
) -> uuid.UUID | None:
    """The session to look at next: the oldest one begun after this one, else the oldest of all;
    one that another reviewer is looking at only when there is no other.

    None: nothing waits but `after` itself.
    """
    not_after = [ChatSession.id != after] if after else []
    not_looked_at = ChatSession.id.not_in(of_others(user_id))
    tries = [[*not_after, not_looked_at], not_after]
    key = select(ChatSession.started_at, ChatSession.id).where(ChatSession.id == after)
    if after and (place := session.execute(key).one_or_none()):
        later = tuple_(ChatSession.started_at, ChatSession.id) > tuple_(*place)
        tries.insert(0, [later, not_looked_at])
    for conditions in tries:
        if found := session.scalar(_oldest(queue, *conditions)):
            return found
    return None


def _oldest(queue: Queue, *conditions: ColumnElement[bool]) -> Select[uuid.UUID]:
    """The oldest of each site and booking status, and of these the oldest: few steps of an index,
    however many wait elsewhere.
    """
    waiting = _waiting(select(ChatSession.id, ChatSession.started_at), queue).where(*conditions)
    oldest_first = (ChatSession.started_at, ChatSession.id)
    if queue.qa_status != "unchecked":
        return waiting.with_only_columns(ChatSession.id).order_by(*oldest_first).limit(1)
    kinds = ("completed",) if queue.is_completed else COMPLETION_STATUSES
    kind = values(column("status", Text), name="kinds").data([(each,) for each in kinds])
    first = (
        waiting.where(
            ChatSession.site_id == Site.id, ChatSession.completion_status == kind.c.status
        )
        .order_by(*oldest_first)
        .limit(1)
        .correlate(Site, kind)
        .lateral()
    )
    return (
        select(first.c.id)
        .select_from(Site)
        .join(kind, true())
        .join(first, true())
        .order_by(first.c.started_at, first.c.id)
        .limit(1)
    )


def counted(session: Session, queue: Queue) -> int:
    """How many wait; MOST_COUNTED + 1 stands for more than can be counted quickly."""
    some = _waiting(select(ChatSession.id), queue).limit(MOST_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def list_page(
    session: Session, queue: Queue, *, limit: int = 30, cursor: str | None = None
) -> Page[Waiting]:
    """Those with an issue, or fixed, newest first, each with the last decision; by one query."""
    last = (
        select(func.max(QaMove.id))
        .where(QaMove.session_id == ChatSession.id, QaMove.undone_at.is_(None))
        .correlate(ChatSession)
        .scalar_subquery()
    )
    chosen = NEWEST_FIRST.cut(_waiting(select(ChatSession.id), queue), limit, cursor)
    cut = chosen.subquery()
    rows = session.execute(
        NEWEST_FIRST.order(
            select(ChatSession, Site.name, QaMove, _NAME)
            .join(cut, cut.c.id == ChatSession.id)
            .join(Site, Site.id == ChatSession.site_id)
            .outerjoin(QaMove, QaMove.id == last)
            .outerjoin(User, User.id == QaMove.user_id)
        )
    ).all()
    items = [Waiting(chat, site, move, name) for chat, site, move, name in rows]
    return NEWEST_FIRST.page(
        items, lambda each: (each.session.started_at, each.session.id), limit, cursor
    )


_NAME = func.coalesce(func.nullif(User.name, ""), User.email)


def _waiting(statement: AnySelect, queue: Queue) -> AnySelect:
    statement = statement.where(
        ChatSession.qa_status == queue.qa_status, ChatSession.archive_status == "active"
    )
    if queue.qa_status == "unchecked":
        statement = statement.where(_was_spoken_in())
    if queue.is_completed:
        statement = statement.where(ChatSession.completion_status == "completed")
    if queue.site:
        of_site = select(Site.id).where(Site.key == queue.site).scalar_subquery()
        statement = statement.where(ChatSession.site_id == of_site)
    return statement


def _was_spoken_in() -> ColumnElement[bool]:
    said = and_(Message.session_id == ChatSession.id, Message.role == "visitor")
    return select(Message.id).where(said).exists()
