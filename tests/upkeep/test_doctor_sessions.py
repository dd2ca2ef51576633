"""A rule of sessions is broken by hand: found, repaired, and nothing sent twice."""

from __future__ import annotations

import pytest

from app.completion import backtest, backtest_save, layers
from app.completion.reopen import leave_open, reopen
from app.core.db import transaction
from app.delivery.send import drain
from app.models import ChatSession
from tests.factories import make_message
from tests.fakes.n8n import N8n
from tests.upkeep.by_hand import PROMISE, found, number, settle, sql, talk

pytestmark = pytest.mark.usefixtures("healthy")


def test_a_promise_in_an_open_session_completes_it_whatever_layers_are_on(
    monkeypatch: pytest.MonkeyPatch, n8n: N8n
) -> None:
    monkeypatch.setattr(layers, "_active", frozenset())
    chat_id = talk(("visitor", "ann@example.com"), ("assistant", PROMISE))
    assert found() == {"promises": 1}
    assert found(fix=True) == {"promises": 1}
    with transaction() as session:
        chat = session.get_one(ChatSession, chat_id, populate_existing=True)
    assert (chat.completion_status, chat.completion_cause) == ("completed", "sweep")
    assert chat.completion_phrase == "within 24 hours"
    drain("n8n")
    assert n8n.received[-1].event["data"]["session"]["id"] == str(chat_id)


def test_promises_that_do_not_count_are_left_alone() -> None:
    talk(("assistant", PROMISE), ("visitor", "Hi"))
    talk(("visitor", "Call me within 24 hours"), ("agent", PROMISE))
    with_word = talk(("visitor", "Hi"), ("assistant", PROMISE))
    with transaction() as session:
        leave_open(session, with_word, None)
    reopened = talk(("visitor", "Hi"), ("assistant", PROMISE))
    settle(reopened)
    with transaction() as session:
        reopen(session, reopened, None)
    assert found() == {}


def test_what_the_layers_have_not_come_to_yet_is_not_reported() -> None:
    chat_id = talk(("visitor", "Hi"), ("assistant", PROMISE))
    sql("UPDATE messages SET is_checked = false WHERE session_id = :id", id=chat_id)
    assert found() == {}
    sql("UPDATE messages SET created_at = created_at - interval '2 minutes'")
    sql("UPDATE chat_sessions SET last_message_at = last_message_at - interval '2 minutes'")
    assert found(fix=True) == {"promises": 1}


def test_what_was_said_as_phrases_were_saved_is_looked_at_again_before_it_is_reported() -> None:
    chat_id = talk(("visitor", "Hi"), ("assistant", "Kitchen noted."))
    with transaction() as session:
        chat = session.get_one(ChatSession, chat_id)
        saved = backtest.start(session, chat.site_id, ["kitchen noted", "you are booked"], [], None)
    backtest.run(saved.id)
    with transaction() as session:
        backtest_save.save(session, saved.id, None, complete_past=False)
    with transaction() as session:  # thought over meanwhile, and judged by the phrases before
        chat = session.get_one(ChatSession, chat_id)
        said = make_message(session, chat, role="assistant", text="You are booked", is_checked=True)
        chat.last_message_at = said.created_at
    assert found() == {}
    sql("UPDATE runs SET started_at = started_at - interval '7 minutes'")
    assert found(fix=True) == {"promises": 1}


@pytest.mark.parametrize(
    "broken",
    [
        "message_count = message_count + 1",
        "message_count = 0",
        "last_message_at = now() + interval '1 day'",
        "last_message_at = NULL",
        "assistant_engaged = NOT assistant_engaged",
    ],
)
def test_wrong_counters_are_counted_again(broken: str) -> None:
    chat_id = talk()
    sql(f"UPDATE chat_sessions SET {broken} WHERE id = :id", id=chat_id)  # noqa: S608
    assert found() == {"counters": 1}
    assert found(fix=True) == {"counters": 1}


def test_a_status_set_by_hand_gets_everything_that_belongs_to_it(n8n: N8n) -> None:
    chat_id = talk()
    sql(
        "UPDATE chat_sessions SET completion_status = 'completed', completed_at = now()"
        " WHERE id = :id",
        id=chat_id,
    )
    assert found() == {"timeline": 1, "leads": 1}
    assert found(fix=True) == {"timeline": 1, "leads": 1}
    assert number("SELECT count(*) FROM session_events WHERE session_id = :id", id=chat_id) == 1
    drain("n8n")
    assert n8n.received[-1].event["data"]["session"]["id"] == str(chat_id)


def test_a_completed_session_set_back_by_hand_is_completed_and_not_sent_again() -> None:
    chat_id = talk()
    settle(chat_id)
    sql(
        "UPDATE chat_sessions SET completion_status = 'in_progress', completed_at = NULL,"
        " completion_cause = NULL WHERE id = :id",
        id=chat_id,
    )
    assert found() == {"timeline": 1}
    assert found(fix=True) == {"timeline": 1}
    assert drain("n8n") == 0


def test_a_timeline_without_the_completion_is_told() -> None:
    chat_id = talk()
    settle(chat_id)
    sql("DELETE FROM session_events WHERE session_id = :id", id=chat_id)
    assert found(fix=True) == {"timeline": 1}
