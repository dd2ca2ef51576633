"""A user's own views: a list's filters under a name. Nobody else sees them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import Invalid, NotFound
from app.models import SavedView

LONGEST_NAME = 60
LONGEST_QUERY = 2000
MOST_VIEWS = 20


def views_of(session: Session, user_id: uuid.UUID, page: str) -> Sequence[SavedView]:
    """The user's views of this list, oldest first."""
    return session.scalars(
        select(SavedView)
        .where(SavedView.user_id == user_id, SavedView.page == page)
        .order_by(SavedView.created_at, SavedView.id)
    ).all()


def one(session: Session, user_id: uuid.UUID, view_id: uuid.UUID) -> SavedView:
    """Raises NotFound, for somebody else's view, too."""
    view = session.get(SavedView, view_id)
    if view is None or view.user_id != user_id:
        raise NotFound("There is no such view. You may have deleted it in another window.")
    return view


def save(session: Session, user_id: uuid.UUID, page: str, name: str, query: str) -> SavedView:
    """A new view, in the caller's transaction. `query`: the address's filters. Raises Invalid."""
    own = select(func.count()).where(SavedView.user_id == user_id, SavedView.page == page)
    if (session.scalar(own) or 0) >= MOST_VIEWS:
        raise Invalid({"name": [f"You have {MOST_VIEWS} views here. Please delete one first."]})
    view = SavedView(
        user_id=user_id,
        page=page,
        name=_name(name),
        query=query[:LONGEST_QUERY],
        created_at=clock.now(),
    )
    return _stored(session, view)


def rename(session: Session, view: SavedView, name: str) -> None:
    """In the caller's transaction. Raises Invalid."""
    wanted = _name(name)
    with session.no_autoflush:
        view.name = wanted
        _stored(session, view)


def _stored(session: Session, view: SavedView) -> SavedView:
    name = view.name
    try:
        with session.begin_nested():
            session.add(view)
            session.flush()
    except IntegrityError as error:
        raise Invalid(
            {"name": [f"You already have a view called “{name}”. Please choose another name."]}
        ) from error
    return view


def _name(text: str) -> str:
    name = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if not name:
        raise Invalid({"name": ["Please give the view a name."]})
    if len(name) > LONGEST_NAME:
        raise Invalid({"name": [f"Please use at most {LONGEST_NAME} characters."]})
    return name
