"""Whatever was written and not judged is found by the sweep, whoever wrote it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.completion import layers
from app.completion import sweep as sweeping
from app.completion.complete import Completed
from app.completion.judge import judge
from app.completion.sweep import sweep
from app.core import clock
from app.core.db import transaction
from app.models import ChatSession, Lead, SessionEvent
from tests.factories import make_chat, make_message, make_site

PROMISE = "Thank you! We will be in touch within 24 hours."
LONG = 30.0

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def _rested() -> None:
    sweeping._resting.clear()


def promised(number: int = 1) -> list[uuid.UUID]:
    with transaction() as session:
        site = make_site(session)
        ids = []
        for _ in range(number):
            chat = make_chat(session, site)
            make_message(session, chat)
            make_message(session, chat, role="assistant", text=PROMISE)
            ids.append(chat.id)
        return ids


def completed() -> set[uuid.UUID]:
    with transaction() as session:
        done = select(ChatSession.id).where(ChatSession.completion_status == "completed")
        return set(session.scalars(done))


def unchecked() -> int:
    with transaction() as session:
        found = session.scalar(text("SELECT count(*) FROM messages WHERE NOT is_checked"))
        assert isinstance(found, int)
        return found


def test_messages_written_by_plain_sql_are_found() -> None:
    [chat_id] = promised()
    with transaction() as session:
        session.execute(text("UPDATE messages SET is_checked = true"))
    assert sweep(LONG)
    assert completed() == set()
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO messages (session_id, role, text, created_at)"
                " VALUES (:id, 'assistant', :said, :now)"
            ),
            {"id": chat_id, "said": "Somebody calls within 24 hours.", "now": clock.now()},
        )
    assert sweep(LONG)
    assert completed() == {chat_id}
    assert unchecked() == 0


def test_a_late_visitor_line_makes_an_earlier_promise_valid() -> None:
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat, role="assistant", text=PROMISE)
    assert sweep(LONG)
    assert completed() == set()
    with transaction() as session:
        before = clock.now() - timedelta(hours=1)
        make_message(session, session.get_one(ChatSession, chat.id), created_at=before)
    assert sweep(LONG)
    assert completed() == {chat.id}


def test_a_layer_that_is_off_leaves_the_rows_and_does_not_spin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    promised()
    monkeypatch.setattr(layers, "_active", frozenset({"live", "auto_sync", "manual_sync"}))
    assert sweep(LONG)
    assert completed() == set()
    assert unchecked() == 2


def test_more_than_one_look_finds_is_swept_to_the_end() -> None:
    ids = promised(25)
    assert sweep(LONG, most=7)
    assert completed() == set(ids)
    assert unchecked() == 0


def test_without_time_it_says_that_something_is_left() -> None:
    promised(30)
    assert not sweep(0.0, most=7)
    assert unchecked() > 0
    assert sweep(LONG)


def test_a_session_that_makes_an_error_blocks_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned, *others = sorted(promised(5))
    tries: list[int] = []

    def breaks(session: Session, ids: Sequence[uuid.UUID], cause: str) -> list[Completed]:
        if poisoned in ids:
            tries.append(len(ids))
            raise ValueError("unreadable")
        return judge(session, ids, cause)

    monkeypatch.setattr(sweeping, "judge", breaks)
    assert sweep(LONG)
    assert completed() == set(others)
    assert str(poisoned) in [getattr(each, "session_id", None) for each in caplog.records]
    assert sweep(LONG)
    assert tries == [5, 1]
    sweeping._resting.clear()
    monkeypatch.setattr(sweeping, "judge", judge)
    assert sweep(LONG)
    assert poisoned in completed()


def test_a_session_that_somebody_holds_is_left_and_comes_again(database: Flask) -> None:
    held, other = promised(2)
    with database.app_context(), transaction() as session:
        session.get_one(ChatSession, held, with_for_update=True)
        result: list[bool] = []

        def run() -> None:
            with database.app_context():
                result.append(sweep(LONG))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(20)
        assert result == [False]
    assert completed() == {other}
    assert sweep(LONG)
    assert completed() == {held, other}


def test_many_sweepers_at_once_complete_each_session_once(database: Flask) -> None:
    ids = promised(60)
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def run() -> None:
        start.wait()
        try:
            with database.app_context():
                while not sweep(LONG, most=30):
                    pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert completed() == set(ids)
    with transaction() as session:
        events = session.scalars(select(SessionEvent)).all()
        assert len(events) == len(session.scalars(select(Lead)).all()) == len(ids)
        assert {each.cause for each in events} == {"sweep"}


def test_looking_for_nothing_is_one_look_up_in_the_partial_index() -> None:
    with transaction() as session:  # what earlier tests left in the index counts, too
        session.execute(text("TRUNCATE messages"))
    pages = []
    for count in (2_000, 40_000):
        with transaction() as session:
            chat = make_chat(session)
            session.execute(
                text(
                    "INSERT INTO messages (session_id, role, text, created_at, is_checked)"
                    " SELECT :id, 'visitor', 'Hi', now(), true FROM generate_series(1, :count)"
                ),
                {"id": chat.id, "count": count},
            )
        with transaction() as session:
            session.execute(text("ANALYZE messages"))
            plan = session.scalar(
                text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sweeping.UNCHECKED.text}"),
                {"after": 0, "most": sweeping.MOST_ROWS},
            )
        assert plan is not None
        assert "ix_messages_unchecked" in str(plan)
        assert "Seq Scan" not in str(plan)
        top = plan[0]["Plan"]
        pages.append(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
    assert max(pages) <= 8, pages  # it does not grow with the table
