"""Completion and archive know nothing of each other, whatever happened before."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.completion.complete import complete
from app.models import ChatSession, SessionEvent, Site
from app.review.archive import activate, archive
from app.review.completion import complete_by_hand, reopen_by_hand
from tests.factories import make_chat, make_message

_COMPLETION = text("""
    SELECT completion_status, completed_at, completion_cause, completion_message_id,
           discounted_message_id FROM chat_sessions WHERE id = :id
""")
_DELIVERIES = text("SELECT id, event, status FROM deliveries WHERE session_id = :id ORDER BY id")


def promise(session: Session, chat: ChatSession) -> None:
    """As a live turn does: an answer that promises the booking."""
    make_message(session, chat, role="visitor", text="Please book me in")
    said = make_message(session, chat, role="assistant", text="We call you within 24 hours.")
    site = session.get_one(Site, chat.site_id).profile()
    complete(session, chat.id, site, cause="live", phrase="within 24 hours", message_id=said.id)


MOVES: dict[str, Callable[[Session, ChatSession], object]] = {
    "promise": promise,
    "complete": lambda session, chat: complete_by_hand(session, chat.id, None),
    "reopen": lambda session, chat: reopen_by_hand(session, chat.id, None),
    "archive": lambda session, chat: archive(session, [chat.id], None),
    "activate": lambda session, chat: activate(session, [chat.id], None),
}
AFTER = {
    "promise": ("completed", None),
    "complete": ("completed", None),
    "reopen": ("in_progress", None),
    "archive": (None, "archived"),
    "activate": (None, "active"),
}


@pytest.mark.parametrize("seed", range(4))
def test_any_history_leaves_each_status_where_its_own_moves_put_it(
    session: Session, seed: int
) -> None:
    chance = random.Random(seed)
    chat = make_chat(session)
    completion, archived, happened = "in_progress", "active", 0
    for move in chance.choices(list(MOVES), k=40):
        before = [
            session.execute(each, {"id": chat.id}).all() for each in (_COMPLETION, _DELIVERIES)
        ]
        MOVES[move](session, chat)
        session.flush()
        session.expire_all()
        wanted = (AFTER[move][0] or completion, AFTER[move][1] or archived)
        assert (chat.completion_status, chat.archive_status) == wanted, move
        if move in ("archive", "activate"):
            after = [
                session.execute(each, {"id": chat.id}).all() for each in (_COMPLETION, _DELIVERIES)
            ]
            assert after == before, move
        # What changed nothing is no change, what did is one.
        happened += wanted != (completion, archived)
        completion, archived = wanted
        assert len(session.scalars(select(SessionEvent)).all()) == happened, move
