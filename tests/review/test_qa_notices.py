"""Letters about QA: to whom, one instead of a flood, none of what was taken back."""

from __future__ import annotations

import contextvars
import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import delivery
from app.core import clock
from app.core.db import transaction
from app.delivery import letters
from app.delivery.destinations import Outcome, Outgoing
from app.delivery.letters import Letter
from app.delivery.record import record
from app.models import ChatSession, Delivery, QaNotice, User
from app.review import qa, qa_notices
from config import Settings
from tests.review.test_qa import decide, talk
from tests.web.signed_in import make_user

DEVELOPERS = ("dev@example.com", "ops@example.com")


@pytest.fixture
def listed(settings: Settings) -> Iterator[None]:
    delivery.configure(replace(settings, qa_notify_emails=DEVELOPERS))
    yield
    delivery.configure(settings)


@pytest.fixture
def ann(session: Session) -> User:
    return make_user("ann@example.com")


def sent(session: Session) -> list[tuple[str, list[str], str]]:
    rows = session.execute(select(Delivery.event, Delivery.body).order_by(Delivery.number))
    letters = [(event, json.loads(body)["data"]) for event, body in rows]
    return [(event, data["to"], data["subject"]) for event, data in letters]


def texts(session: Session) -> list[str]:
    bodies = session.scalars(select(Delivery.body).order_by(Delivery.number))
    return [json.loads(body)["data"]["text"] for body in bodies]


def waiting(session: Session) -> int:
    return len(session.scalars(select(QaNotice.id).where(QaNotice.sent_at.is_(None))).all())


def jobs(session: Session) -> list[tuple[str, str]]:
    found = session.execute(
        text(
            "SELECT args ->> 'recipient', scheduled_at FROM procrastinate_jobs"
            " WHERE task_name = 'gather_qa_notices'"
        )
    )
    return [tuple(row) for row in found]


def test_an_issue_goes_to_the_developers_and_fixed_back_to_its_reporter(
    session: Session, ann: User, listed: None
) -> None:
    bob = make_user("bob@example.com", role="agent")
    chat = talk(session)
    issue = decide(session, chat, ann.id, "issue", note="25 o'clock <b>")
    decide(session, chat, bob.id, "fixed", note="Put the opening hours right")
    name = chat.site_id and session.scalar(text("SELECT name FROM sites"))
    assert sent(session) == [
        ("qa.issue", ["dev@example.com"], f"New issue: {name}"),
        ("qa.issue", ["ops@example.com"], f"New issue: {name}"),
        ("qa.fixed", ["ann@example.com"], f"Fixed: {name}"),
    ]
    to_developer, _, to_ann = texts(session)
    link = f"/sessions/{chat.id}?message={issue.message_id}#message-{issue.message_id}"
    for words in ("ann@example.com", "25 o'clock <b>", "Wrong answer", link):
        assert words in to_developer
    for words in ("Put the opening hours right", "25 o'clock", f"/sessions/{chat.id}"):
        assert words in to_ann
    html = json.loads(session.scalars(select(Delivery.body)).first() or "")["data"]["html"]
    assert "25 o&#39;clock &lt;b&gt;" in html


def test_without_a_list_admins_who_want_letters_get_them_and_nobody_ones_own(
    session: Session, ann: User
) -> None:
    make_user("eve@example.com")
    make_user("quiet@example.com").wants_notices = False
    make_user("gone@example.com").is_active = False
    make_user("bob@example.com", role="agent")
    chat = talk(session)
    decide(session, chat, ann.id, "issue")
    assert [to for _, to, _ in sent(session)] == [["eve@example.com"]]
    decide(session, chat, ann.id, "fixed")  # her own issue
    ann.wants_notices = False
    decide(session, chat, ann.id, "passed")
    decide(session, chat, ann.id, "issue")
    decide(session, chat, make_user("fay@example.com").id, "fixed")
    assert [to for _, to, _ in sent(session)] == [["eve@example.com"]]


def test_a_flood_is_one_letter_ten_minutes_later(session: Session, ann: User, listed: None) -> None:
    bob = make_user("bob@example.com")
    chats = [talk(session) for _ in range(5)]
    moves = [
        decide(session, chat, ann.id, "issue", note=f"Wrong: {n}") for n, chat in enumerate(chats)
    ]
    assert len(sent(session)) == len(DEVELOPERS)
    assert waiting(session) == 4 * len(DEVELOPERS)
    assert [who for who, _ in jobs(session)] == [*DEVELOPERS]  # one each, not one a notice
    qa.undo(session, chats[2].id, ann.id, moves[2].id)
    decide(session, chats[3], bob.id, "fixed")  # to Ann, whose letters are counted on their own
    assert sent(session)[-1][:2] == ("qa.fixed", ["ann@example.com"])
    assert qa_notices.gather(session, "dev@example.com") == 0  # too early
    assert qa_notices.forgotten(session) == []

    with clock.moved(qa_notices.PAUSE + timedelta(seconds=1)):
        assert sorted(qa_notices.forgotten(session)) == [*DEVELOPERS]
        assert qa_notices.gather(session, "dev@example.com") == 3
        assert qa_notices.gather(session, "dev@example.com") == 0
        assert qa_notices.forgotten(session) == ["ops@example.com"]
        assert sent(session)[-1] == ("qa.digest", ["dev@example.com"], "3 new issues")
        digest = texts(session)[-1]
        assert [f"Wrong: {n}" in digest for n in range(5)] == [False, True, False, True, True]
        assert "(fixed meanwhile)" in digest
        decide(session, chats[2], bob.id, "issue")  # within ten minutes of the digest
        assert [who for who, _ in jobs(session)].count("dev@example.com") == 2
    assert waiting(session) == 4 + 1


def test_issues_at_the_same_moment_are_one_letter_and_the_rest_waits(
    database: Flask, listed: None
) -> None:
    ann = make_user("ann@example.com").id
    with transaction() as session:
        chats = [talk(session).id for _ in range(6)]
    start = threading.Barrier(len(chats))

    def report(chat_id: uuid.UUID) -> None:
        with database.app_context():
            start.wait()
            with transaction() as session:
                decide(session, session.get_one(ChatSession, chat_id), ann, "issue")

    threads = [
        threading.Thread(target=contextvars.Context().run, args=(report, chat)) for chat in chats
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction() as session:
        assert len(sent(session)) == len(DEVELOPERS)
        assert waiting(session) == 5 * len(DEVELOPERS)
        assert len(jobs(session)) == len(DEVELOPERS)


def test_a_letter_that_was_not_sent_yet_is_taken_back_too(
    session: Session, ann: User, listed: None
) -> None:
    chat = talk(session)
    move = decide(session, chat, ann.id, "issue")
    taken = text(
        "UPDATE deliveries SET claim_token = :id, claimed_until = now()"
        " WHERE number = (SELECT min(number) FROM deliveries)"
    )
    session.execute(taken, {"id": chat.id})
    qa.undo(session, chat.id, ann.id, move.id)
    statuses = session.scalars(select(Delivery.status).order_by(Delivery.number)).all()
    assert statuses == ["pending", "cancelled"]  # the first was being sent that moment
    first = session.scalars(select(Delivery).order_by(Delivery.number)).first()
    assert first
    trying = Outgoing(first.id, first.destination_key, first.event, first.body, chat.id)
    record(trying, Outcome("failed", error="closed"), clock.now(), 1)
    session.refresh(first)
    assert (first.status, first.next_attempt_at) == ("cancelled", None)


def test_a_letter_that_was_taken_back_makes_the_next_one_wait_for_nothing(
    session: Session, ann: User, listed: None
) -> None:
    chat = talk(session)
    qa.undo(session, chat.id, ann.id, decide(session, chat, ann.id, "issue").id)
    decide(session, chat, ann.id, "issue", note="This is it")
    statuses = session.scalars(select(Delivery.status).order_by(Delivery.number)).all()
    assert statuses == ["cancelled", "cancelled", "pending", "pending"]
    assert "This is it" in texts(session)[-1]
    decide(session, talk(session), ann.id, "issue")
    assert waiting(session) == len(DEVELOPERS)


def test_who_is_shut_out_meanwhile_gets_no_letter(session: Session, ann: User) -> None:
    eve = make_user("eve@example.com")
    decide(session, talk(session), ann.id, "issue")
    decide(session, talk(session), ann.id, "issue")
    eve.is_active = False
    session.flush()
    with clock.moved(qa_notices.PAUSE):
        assert qa_notices.gather(session, "eve@example.com") == 0
    assert (len(sent(session)), waiting(session)) == (1, 0)


def test_a_deleted_session_takes_its_notices_along(session: Session, ann: User) -> None:
    make_user("eve@example.com")
    chats = [talk(session), talk(session)]
    for chat in chats:
        decide(session, chat, ann.id, "issue")
    session.execute(text("DELETE FROM chat_sessions WHERE id = :id"), {"id": chats[1].id})
    with clock.moved(qa_notices.PAUSE):
        assert qa_notices.gather(session, "eve@example.com") == 0
    assert uuid.UUID(str(session.scalar(select(Delivery.session_id)))) == chats[0].id


def test_the_very_first_letters_to_several_people_do_not_block_each_other(
    database: Flask, listed: None
) -> None:
    """The first letter of all makes the mail service's row, and others wait for who makes it."""
    ann = make_user("ann@example.com").id
    with transaction() as session:
        chat_id = talk(session).id
    wrong = list[Exception]()

    def report() -> None:
        with database.app_context():
            try:
                with transaction() as session:
                    decide(session, session.get_one(ChatSession, chat_id), ann, "issue")
            except Exception as error:
                wrong.append(error)

    thread = threading.Thread(target=contextvars.Context().run, args=(report,))
    with transaction() as session:  # somebody else tells the last of them something at that moment
        session.execute(qa_notices._LOCK, {"recipient": DEVELOPERS[-1]})
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        letters.enqueue(
            session, "user.notice", Letter([DEVELOPERS[-1]], "News", "test", {"link": "https://x"})
        )
    thread.join(20)
    assert wrong == []
