"""Archiving and completion are two matters: every pair is reached, and neither moves the other."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ChatSession, SessionEvent
from app.review.archive import activate, archive
from app.review.completion import complete_by_hand, reopen_by_hand
from tests.factories import make_chat, make_lead
from tests.web.signed_in import make_user


def state(session: Session, chat: ChatSession) -> tuple[str, str]:
    session.refresh(chat)
    return chat.completion_status, chat.archive_status


def test_every_pair_is_reached_and_neither_status_moves_the_other(session: Session) -> None:
    chat = make_chat(session)
    make_lead(session, chat)
    seen = [state(session, chat)]
    for move in (
        lambda: archive(session, [chat.id], None),
        lambda: complete_by_hand(session, chat.id, None),
        lambda: activate(session, [chat.id], None),
        lambda: archive(session, [chat.id], None),
        lambda: reopen_by_hand(session, chat.id, None),
        lambda: activate(session, [chat.id], None),
    ):
        move()
        seen.append(state(session, chat))
    assert seen == [
        ("in_progress", "active"),
        ("in_progress", "archived"),
        ("completed", "archived"),
        ("completed", "active"),
        ("completed", "archived"),
        ("in_progress", "archived"),
        ("in_progress", "active"),
    ]


def test_only_what_changes_is_told_and_announced(session: Session) -> None:
    fresh, old = make_chat(session), make_chat(session, archive_status="archived")
    session.info.pop("announced", None)
    assert archive(session, [fresh.id, old.id, uuid.uuid4()], None) == [fresh.id]
    assert archive(session, [fresh.id], None) == []
    assert archive(session, [], None) == []
    assert session.info["announced"] == {"sessions": {str(fresh.id)}}
    events = session.scalars(select(SessionEvent)).all()
    assert [(each.session_id, each.kind, each.cause) for each in events] == [
        (fresh.id, "archived", "user")
    ]


def test_who_brought_it_back_is_kept(session: Session) -> None:
    chat = make_chat(session, archive_status="archived")
    user = make_user()
    assert activate(session, [chat.id], user.id) == [chat.id]
    event = session.scalars(select(SessionEvent)).one()
    assert (event.kind, event.user_id) == ("activated", user.id)
