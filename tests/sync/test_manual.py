"""Manual sync: everything is looked at again, and found once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app.completion import layers
from app.completion.reopen import reopen
from app.core.db import transaction
from app.models import ChatSession, Delivery, Lead, Message
from app.runs import engine
from app.sync import manual, memory
from app.sync.failures import SourceFailed
from tests.factories import make_chat, make_message, make_site
from tests.reporting.queries import counted
from tests.sync.manual_runs import (
    PROMISE,
    TABLE,
    begin,
    conversations,
    count,
    memory_table,
    said,
    stored,
    sync,
    write,
)
from tests.web.signed_in import make_user

__all__ = ["memory_table"]
pytestmark = pytest.mark.usefixtures("memory_table")


def test_everything_is_read_and_completed_with_a_report() -> None:
    conversations(10, promised=3)
    write(("chat-0", {"type": "strange", "content": "?"}))
    run = sync()
    assert (run["status"], run["progress"], run["error"]) == ("done", 1.0, None)
    assert run["report"] == {
        "rows_read": 21,
        "sessions_created": 10,
        "messages_added": 20,
        "completions_found": 3,
        "leads_created": run["report"]["leads_created"],
        "deliveries_enqueued": count(Delivery),
        "set_aside": 1,
    }
    assert count(Lead) >= 3


def test_the_second_time_changes_nothing() -> None:
    conversations(5, promised=2)
    sync()
    before = [count(model) for model in (ChatSession, Message, Lead, Delivery)]
    report = sync()["report"]
    assert report["rows_read"] == 10
    assert {name: value for name, value in report.items() if value} == {"rows_read": 10}
    assert [count(model) for model in (ChatSession, Message, Lead, Delivery)] == before


def test_a_session_is_judged_again_whatever_was_judged_before() -> None:
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat, is_checked=True)
        make_message(session, chat, role="assistant", text=PROMISE, is_checked=True)
    assert sync()["report"]["completions_found"] == 1


def test_a_session_a_person_reopened_stays_open_until_a_newer_promise() -> None:
    user = make_user()
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat)
        make_message(session, chat, role="assistant", text=PROMISE)
    assert sync()["report"]["completions_found"] == 1
    with transaction() as session:
        reopen(session, chat.id, user_id=user.id)
    assert sync()["report"]["completions_found"] == 0
    with transaction() as session:
        make_message(session, session.get_one(ChatSession, chat.id), role="assistant", text=PROMISE)
    assert sync()["report"]["completions_found"] == 1


def test_many_promises_are_completed_in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sync.manual_judging.MOST_JUDGED", 2)
    with transaction() as session:
        site = make_site(session)
        for _ in range(7):
            chat = make_chat(session, site)
            make_message(session, chat)
            make_message(session, chat, role="assistant", text=PROMISE)
    assert sync()["report"]["completions_found"] == 7


def test_a_table_that_cannot_be_read_fails_the_run_in_a_sentence_and_the_rest_is_done() -> None:
    with transaction() as session:
        session.execute(text(f"ALTER TABLE {TABLE} RENAME COLUMN message TO note"))
        chat = make_chat(session)
        make_message(session, chat)
        make_message(session, chat, role="assistant", text=PROMISE)
    run = sync()
    assert run["status"] == "failed"
    assert "no chat memory of N8n" in run["error"]
    assert run["report"]["completions_found"] == 1
    with transaction() as session:
        session.execute(text(f"ALTER TABLE {TABLE} RENAME COLUMN note TO message"))
    conversations(1)
    assert sync()["status"] == "done"


def test_an_unexpected_error_ends_the_run_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(manual, "judge_chunk", broken)
    run_id = begin()
    with pytest.raises(RuntimeError):
        manual.work(run_id)
    run = stored(run_id)
    assert (run["status"], run["error"]) == ("failed", engine.WENT_WRONG)
    assert begin() != run_id


def test_no_table_is_nothing_to_read() -> None:
    with transaction() as session:
        session.execute(text(f"DROP TABLE {TABLE}"))
    assert sync()["status"] == "done"


def test_a_table_that_began_anew_is_read_as_a_new_one() -> None:
    conversations(5)
    sync()
    with transaction() as session:
        session.execute(text(f"TRUNCATE {TABLE} RESTART IDENTITY"))
    write(*((f"new-{each}", said("human", f"Good morning {each}")) for each in range(4)))
    report = sync()["report"]
    assert (report["sessions_created"], report["messages_added"]) == (4, 4)
    assert report["rows_read"] == 4
    assert count(Message) == 14


def test_rows_are_imported_but_nothing_completed_when_the_layer_is_off() -> None:
    conversations(3, promised=3)
    layers.configure(("live",))
    try:
        report = sync()["report"]
    finally:
        layers.configure(("live", "auto_sync", "sweep", "manual_sync"))
    assert (report["messages_added"], report["completions_found"]) == (6, 0)


def test_judging_takes_the_same_number_of_queries_for_any_number() -> None:
    def queries() -> int:
        with counted() as seen:
            sync()
        return len(seen)

    with transaction() as session:
        site = make_site(session)
        make_message(session, make_chat(session, site), role="assistant", text="Hello")
    sync()
    few = queries()
    with transaction() as session:
        for _ in range(30):
            make_message(session, make_chat(session, site), role="assistant", text="Hello")
    sync()
    assert queries() == few


def test_a_source_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any) -> int:
        raise SourceFailed("The database does not answer.")

    monkeypatch.setattr(memory, "highest_row", silent)
    assert sync()["error"] == (
        f"{TABLE}: The database does not answer. Everything else was looked at."
    )
