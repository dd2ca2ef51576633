"""What goes wrong around an answer costs no visitor the answer, and no session its deletion."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
import uuid
from datetime import timedelta

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from app.assistants.base import AssistantError
from app.chat import answer, assistant_state, turn
from app.core import clock
from app.core.db import transaction
from app.core.errors import NotFound
from app.models import ChatSession, DeletedSession, Lead
from app.review.delete import delete_session
from tests.assistants.stand import Stand
from tests.chat.answers import chat_with, one, stand, told
from tests.chat.test_turn import begin, count, lines

__all__ = ["stand"]


def test_an_answer_that_could_not_be_counted_is_stored_all_the_same(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("", {}, Exception("the database is away for a moment"))

    monkeypatch.setattr(assistant_state, "conclude", away)
    chat_id = chat_with()
    assert told(chat_id, "Hi") == "How can we help?"
    assert lines(chat_id)[1:] == [("visitor", "Hi"), ("assistant", "How can we help?")]


def test_a_database_that_restarts_while_the_assistant_thinks_costs_no_answer(
    stand: Stand, database_url: str
) -> None:
    def restart() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    chat_id = chat_with()
    stand.parts = ["We will contact you within 24 hours."]
    stand.before_part = restart
    assert "within 24 hours" in told(chat_id, "I'm Ann, ann@example.com")
    assert [role for role, _ in lines(chat_id)] == ["assistant", "visitor", "assistant"]
    assert count(Lead) == 1


def test_a_session_can_be_deleted_while_its_failed_answer_is_counted(
    stand: Stand, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.parts = [AssistantError("unreachable")]
    chat_id = chat_with()
    is_counted, note = threading.Event(), answer.note

    def slowly(*given: object) -> object:
        is_counted.set()
        time.sleep(0.5)
        return note(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(answer, "note", slowly)
    problems: list[Exception] = []

    def delete() -> None:
        is_counted.wait(10)
        with app.app_context():
            try:
                with transaction() as session:
                    delete_session(session, chat_id, None)
            except Exception as error:
                problems.append(error)

    deleting = threading.Thread(target=contextvars.Context().run, args=(delete,))
    deleting.start()
    with contextlib.suppress(NotFound):  # it may be gone before the answer is stored
        told(chat_id, "Hi")
    deleting.join()
    assert problems == []
    assert count(ChatSession) == 0
    assert isinstance(one(DeletedSession), DeletedSession)


def test_a_turn_of_an_assistant_nobody_answers_to_any_more_is_taken_over(database: Flask) -> None:
    chat_id = begin(assistant="gone")
    turn.receive(chat_id, uuid.uuid4(), "Hi")  # and its process dies
    with clock.moved(timedelta(minutes=2)):
        assert turn.answer_waiting(chat_id)
    assert [role for role, _ in lines(chat_id)][-2:] == ["visitor", "assistant"]


def test_a_visitor_whose_session_is_deleted_in_mid_answer_is_told_so(stand: Stand) -> None:
    chat_id = chat_with()

    def delete() -> None:
        with transaction() as session:
            delete_session(session, chat_id, None)

    stand.before_part = delete
    with pytest.raises(NotFound):
        told(chat_id, "Hi")
    assert count(ChatSession) == 0
