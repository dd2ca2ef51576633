"""Two requests of a session wait behind its turn, whatever process they are in; no more."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.assistants.registry import ASSISTANTS
from app.chat import turn, wait_slots
from app.core import clock
from app.core.db import db
from app.core.errors import Conflict
from app.models import Message, Turn
from tests.chat.test_turn import Stand, begin, in_thread, lines, say


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    stand = Stand()
    monkeypatch.setitem(ASSISTANTS, "stand", stand)
    yield stand
    stand.may_answer.set()


@pytest.fixture
def chat_id(database: Flask, stand: Stand) -> uuid.UUID:
    return begin(assistant="stand")


def waits(chat_id: uuid.UUID) -> int:
    db.session.rollback()
    found = db.session.scalar(
        select(func.cardinality(Turn.waits)).where(Turn.session_id == chat_id)
    )
    db.session.rollback()
    return found or 0


def until_waiting(chat_id: uuid.UUID, number: int) -> None:
    while waits(chat_id) != number:
        pass


def visitor_lines(chat_id: uuid.UUID) -> list[str]:
    return [text for role, text in lines(chat_id) if role == "visitor"]


def busy(app: Flask, chat_id: uuid.UUID, stand: Stand) -> list[threading.Thread]:
    """One request that makes an answer, and two that wait for theirs."""
    stand.may_answer.clear()
    requests = [in_thread(app, chat_id, "one")]
    assert stand.is_thinking.wait(60)
    for number, text in enumerate(("two", "three"), 1):
        requests.append(in_thread(app, chat_id, text))
        until_waiting(chat_id, number)
    return requests


def test_the_next_one_is_refused_at_once_and_not_stored(
    database: Flask, chat_id: uuid.UUID, stand: Stand
) -> None:
    requests = busy(database, chat_id, stand)
    client_id = uuid.uuid4()
    for _ in range(5):
        with pytest.raises(Conflict) as refused:
            turn.receive(chat_id, client_id, "four")
        assert refused.value.retry_after_seconds
    assert visitor_lines(chat_id) == ["one", "two", "three"]
    stand.may_answer.set()
    for request in requests:
        request.join()
    # The same client id again, as the widget sends it: taken once, answered once.
    assert say(chat_id, "four", client_id).messages[0].text == "four"
    assert visitor_lines(chat_id) == ["one", "two", "three", "four"]
    assert waits(chat_id) == 0


def test_a_repeat_counts_as_waiting_too(database: Flask, chat_id: uuid.UUID, stand: Stand) -> None:
    stand.may_answer.clear()
    client_id = uuid.uuid4()
    requests = [in_thread(database, chat_id, "one", client_id)]
    assert stand.is_thinking.wait(60)
    for number in (1, 2):
        requests.append(in_thread(database, chat_id, "one", client_id))
        until_waiting(chat_id, number)
    for again in (client_id, uuid.uuid4()):
        with pytest.raises(Conflict):
            turn.receive(chat_id, again, "one")
    stand.may_answer.set()
    for request in requests:
        request.join()
    assert stand.calls == 1
    assert visitor_lines(chat_id) == ["one"]


def test_an_answered_message_sent_again_waits_for_nothing(
    database: Flask, chat_id: uuid.UUID, stand: Stand
) -> None:
    client_id = uuid.uuid4()
    first = say(chat_id, "zero", client_id)
    requests = busy(database, chat_id, stand)
    assert say(chat_id, "zero", client_id) == first
    stand.may_answer.set()
    for request in requests:
        request.join()


def test_another_process_counts_as_well_and_a_dead_one_no_longer(
    chat_id: uuid.UUID, stand: Stand
) -> None:
    turn.receive(chat_id, uuid.uuid4(), "one")
    # As another process does it: all that is known of a waiting request is in the database.
    assert wait_slots.take(chat_id)
    assert wait_slots.take(chat_id)
    assert wait_slots.take(chat_id) is None
    with pytest.raises(Conflict):
        turn.receive(chat_id, uuid.uuid4(), "two")
    held_until = clock.now() + timedelta(hours=1)  # the turn is kept by signs of life
    db.session.execute(Turn.__table__.update().values(expires_at=held_until))  # type: ignore[attr-defined]
    db.session.commit()
    with clock.moved(timedelta(seconds=wait_slots.PATIENCE_SECONDS + 2)):
        received = turn.receive(chat_id, uuid.uuid4(), "two")
    assert received.wait is not None
    assert waits(chat_id) == 1


def test_who_gives_up_leaves_its_slot(
    chat_id: uuid.UUID, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "PATIENCE_SECONDS", 0.0)
    turn.receive(chat_id, uuid.uuid4(), "one")
    for text in ("two", "three", "four"):
        with pytest.raises(Conflict, match="still being made"):
            list(turn.respond(turn.receive(chat_id, uuid.uuid4(), text)))
    assert waits(chat_id) == 0


class Turnstile(threading.Event):
    """Lets one answer through at each `let`; `set` opens it for good."""

    def __init__(self) -> None:
        super().__init__()
        self._permits = threading.Semaphore(0)

    def let(self) -> None:
        self._permits.release()

    def wait(self, timeout: float | None = None) -> bool:
        while not self.is_set():
            if self._permits.acquire(timeout=0.01):
                return True
        return True


def test_whoever_takes_the_turn_over_does_not_count_as_waiting(
    database: Flask, chat_id: uuid.UUID, stand: Stand
) -> None:
    requests = busy(database, chat_id, turnstiled(stand))
    stand.may_answer.let()  # type: ignore[attr-defined]
    until_waiting(chat_id, 1)
    requests.append(in_thread(database, chat_id, "four"))
    until_waiting(chat_id, 2)
    while stand.calls != 2:  # the one that took over may not have begun yet
        time.sleep(0.01)
    with pytest.raises(Conflict):
        turn.receive(chat_id, uuid.uuid4(), "five")
    stand.may_answer.set()
    for request in requests:
        request.join()
    assert visitor_lines(chat_id) == ["one", "two", "three", "four"]
    assert db.session.scalar(select(func.count()).select_from(Turn)) == 0


def turnstiled(stand: Stand) -> Stand:
    stand.may_answer = Turnstile()
    return stand


def test_messages_nobody_answers_come_to_an_end(
    chat_id: uuid.UUID, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn runs on and on; requests that wait give up, and others take their slots."""
    monkeypatch.setattr(turn, "PATIENCE_SECONDS", 0.0)
    for number in range(wait_slots.MOST_UNANSWERED + 5):
        try:
            received = turn.receive(chat_id, uuid.uuid4(), f"message {number}")
        except Conflict:
            continue
        if received.lease is None:
            with pytest.raises(Conflict):
                list(turn.respond(received))
    assert len(visitor_lines(chat_id)) == wait_slots.MOST_UNANSWERED
    with clock.moved(timedelta(minutes=1)):
        assert turn.answer_waiting(chat_id)
    assert lines(chat_id)[-1] == ("assistant", "All noted.")
    say(chat_id, "And one more")
    assert db.session.scalar(select(func.count()).select_from(Message)) == (
        1 + wait_slots.MOST_UNANSWERED + 1 + 2
    )
