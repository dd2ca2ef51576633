"""QA: every move that is legal, every one that is not, whose it was, two at once, and undo."""

from __future__ import annotations

import contextvars
import itertools
import threading
import uuid

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import transaction
from app.core.errors import Conflict, Invalid, NotFound
from app.models import ChatSession, Message, QaMove
from app.models.chat_session import QA_STATUSES
from app.review import qa
from app.review.qa import Decision
from tests.factories import make_chat, make_message
from tests.web.signed_in import make_user

LEGAL = {
    ("unchecked", "passed"),
    ("unchecked", "issue"),
    ("passed", "issue"),
    ("issue", "fixed"),
    ("fixed", "passed"),
    ("fixed", "issue"),
}
PAIRS = list(itertools.product(QA_STATUSES, [*QA_STATUSES, "nonsense"]))


def talk(session: Session, qa_status: str = "unchecked", **values: object) -> ChatSession:
    chat = make_chat(session, qa_status=qa_status, **values)
    make_message(session, chat)
    make_message(session, chat, role="assistant", text="We open at 25 o'clock")
    return chat


def message_of(session: Session, chat: ChatSession) -> int:
    return (
        session.scalars(
            select(Message.id).where(Message.session_id == chat.id).order_by(Message.id.desc())
        ).first()
        or 0
    )


def decide(
    session: Session, chat: ChatSession, user_id: uuid.UUID, to: str, **values: object
) -> QaMove:
    """With all that any move needs."""
    whole = {
        "note": "25 o'clock is no time",
        "category": "wrong_answer",
        "message_id": message_of(session, chat),
    }
    expected = str(values.pop("expected", chat.qa_status))
    decision = Decision(to, **{**whole, **values})  # type: ignore[arg-type]
    return qa.move(session, chat.id, user_id, decision, expected_status=expected).move


@pytest.fixture
def ann(session: Session) -> uuid.UUID:
    return make_user("ann@example.com").id


@pytest.fixture
def bob(session: Session) -> uuid.UUID:
    return make_user("bob@example.com", role="agent").id


@pytest.mark.parametrize(("before", "to"), PAIRS)
def test_a_legal_move_is_attributed_and_any_other_is_refused_with_a_sentence(
    session: Session, ann: uuid.UUID, before: str, to: str
) -> None:
    chat = talk(session, before, archive_status="archived")
    if (before, to) in LEGAL:
        made = decide(session, chat, ann, to)
        assert (made.user_id, made.from_status, made.to_status) == (ann, before, to)
        assert made.note == "25 o'clock is no time"
        assert made.at is not None
        assert chat.qa_status == to
    else:
        with pytest.raises(Conflict) as refused:
            decide(session, chat, ann, to)
        assert refused.value.detail.endswith(".")
        assert chat.qa_status == before
        assert session.scalars(select(QaMove)).all() == []
    assert (chat.completion_status, chat.archive_status) == ("in_progress", "archived")


@pytest.mark.parametrize(
    ("before", "to", "missing", "field"),
    [
        ("unchecked", "issue", {"note": "  "}, "note"),
        ("unchecked", "issue", {"category": None}, "category"),
        ("unchecked", "issue", {"category": "weather"}, "category"),
        ("unchecked", "issue", {"message_id": None}, "message_id"),
        ("unchecked", "issue", {"message_id": 2**62}, "message_id"),
        ("unchecked", "issue", {"message_id": 2**63}, "message_id"),
        ("issue", "fixed", {"note": ""}, "note"),
        ("unchecked", "passed", {"note": "x" * 4001}, "note"),
    ],
)
def test_what_a_move_needs(
    session: Session, ann: uuid.UUID, before: str, to: str, missing: dict[str, object], field: str
) -> None:
    chat = talk(session, before)
    with pytest.raises(Invalid) as refused:
        decide(session, chat, ann, to, **missing)
    assert list(refused.value.errors) == [field]
    assert chat.qa_status == before


def test_an_issue_is_about_a_message_of_its_own_session(session: Session, ann: uuid.UUID) -> None:
    chat, other = talk(session), talk(session)
    with pytest.raises(Invalid):
        decide(session, chat, ann, "issue", message_id=message_of(session, other))
    silent = make_chat(session)
    assert decide(session, silent, ann, "issue", message_id=None).message_id is None
    with pytest.raises(NotFound):
        qa.move(session, uuid.uuid4(), ann, Decision("passed"), expected_status="unchecked")


def test_the_second_of_two_is_told_who_decided_what(
    session: Session, ann: uuid.UUID, bob: uuid.UUID
) -> None:
    chat = talk(session)
    decide(session, chat, ann, "issue")
    with pytest.raises(Conflict, match=r"ann@example.com has decided: .* having an issue"):
        decide(session, chat, bob, "passed", expected="unchecked")
    assert chat.qa_status == "issue"
    # Pressing the button twice is no second decision, and nobody else's.
    again = decide(session, chat, ann, "issue", expected="unchecked")
    assert [again.id] == session.scalars(select(QaMove.id)).all()


def test_two_at_the_same_moment(database: Flask) -> None:
    users = [make_user(f"reviewer{number}@example.com").id for number in range(4)]
    with transaction() as session:
        chat_id = talk(session).id
    start, told = threading.Barrier(len(users)), []

    def one(user_id: uuid.UUID, to: str) -> None:
        with database.app_context():
            start.wait()
            try:
                with transaction() as session:
                    chat = session.get_one(ChatSession, chat_id)
                    decide(session, chat, user_id, to, expected="unchecked")
            except Conflict as conflict:
                told.append(conflict.detail)

    threads = [
        threading.Thread(target=contextvars.Context().run, args=(one, user_id, to))
        for user_id, to in zip(users, ["passed", "issue", "passed", "issue"], strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction() as session:
        moves = session.scalars(select(QaMove)).all()
        assert len(moves) == 1
        assert session.get_one(ChatSession, chat_id).qa_status == moves[0].to_status
    assert len(told) == len(users) - 1
    assert all("Meanwhile reviewer" in sentence for sentence in told)


def test_undo_is_for_ones_own_last_move(session: Session, ann: uuid.UUID, bob: uuid.UUID) -> None:
    chat = talk(session)
    first = decide(session, chat, ann, "issue")
    second = decide(session, chat, bob, "fixed")
    with pytest.raises(Conflict, match=r"Only bob@example\.com can undo"):
        qa.undo(session, chat.id, ann, second.id)
    with pytest.raises(Conflict, match=r"Meanwhile bob@example\.com has decided"):
        qa.undo(session, chat.id, ann, first.id)
    with pytest.raises(Conflict, match="nothing to undo"):
        qa.undo(session, talk(session).id, bob, second.id)
    for _ in range(2):  # twice is once
        qa.undo(session, chat.id, bob, second.id)
    assert (chat.qa_status, second.undone_at is not None) == ("issue", True)
    qa.undo(session, chat.id, ann, first.id)
    assert chat.qa_status == "unchecked"
    assert qa.last_move(session, chat.id) is None
    with pytest.raises(Conflict, match="was taken back"):
        decide(session, chat, bob, "fixed", expected="issue")
