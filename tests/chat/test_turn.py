"""A turn keeps its promises: stored once, answered once, nothing held while someone thinks."""

from __future__ import annotations

import contextvars
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.assistants.base import Reply
from app.assistants.registry import ASSISTANTS
from app.chat import messages, turn
from app.chat.messages import Conversation
from app.chat.start import start
from app.core import clock
from app.core.db import db, transaction
from app.core.errors import NotFound
from app.models import ChatSession, Delivery, Lead, Message, SessionEvent, Turn
from app.models.site_profile import SiteProfile
from app.models.transcript import Answer, Draft, Input, Transcript
from tests.factories import make_site


class Stand:
    """An assistant whose every step a test controls."""

    promises_in_words = True

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_thinking = threading.Event()
        self.text = "All noted."
        self.draft: Draft | None = None
        self.calls = 0
        self.connections_held: list[int] = []

    def is_set_up(self, site: SiteProfile) -> bool:
        return True

    def opening(self, site: SiteProfile) -> list[Reply]:
        return [Reply("Hello!", Input(), Draft())]

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        self.calls += 1
        self.connections_held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        self.is_thinking.set()
        assert self.may_answer.wait(60)
        yield self.text
        yield Reply(self.text, Input(), self.draft or transcript.draft)


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand()
    monkeypatch.setitem(ASSISTANTS, "stand", stand)
    return stand


@pytest.fixture
def chat_id(database: Flask, stand: Stand) -> uuid.UUID:
    return begin(assistant="stand")


def begin(**site_values: object) -> uuid.UUID:
    with transaction() as session:
        site = make_site(session, **site_values)
        return start(session, site, visitor_id=None, page={}, locale=None, timezone=None).session_id


def say(chat_id: uuid.UUID, text: str, client_id: uuid.UUID | None = None) -> Conversation:
    *_, answer = turn.respond(turn.receive(chat_id, client_id or uuid.uuid4(), text))
    assert isinstance(answer, Conversation)
    return answer


def answer_all() -> int:
    """What the worker does."""
    return sum(map(turn.answer_waiting, turn.waiting()))


def in_thread(app: Flask, *args: object) -> threading.Thread:
    """`say` as another request would: a thread and an app context of its own."""

    def request() -> None:
        with app.app_context():
            say(*args)  # type: ignore[arg-type]

    thread = threading.Thread(target=contextvars.Context().run, args=(request,))
    thread.start()
    return thread


def lines(chat_id: uuid.UUID) -> list[tuple[str, str]]:
    db.session.rollback()
    found = messages.since(db.session(), chat_id, 0).messages
    db.session.rollback()
    return [(message.role, message.text) for message in found]


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_message_is_stored_with_its_answer(chat_id: uuid.UUID) -> None:
    answer = say(chat_id, "Hi")
    assert [(m.role, m.text) for m in answer.messages] == [
        ("visitor", "Hi"),
        ("assistant", "All noted."),
    ]
    assert lines(chat_id)[1:] == [("visitor", "Hi"), ("assistant", "All noted.")]
    chat = db.session.get_one(ChatSession, chat_id)
    assert (chat.message_count, chat.assistant_engaged) == (3, True)
    assert count(Turn) == 0


def test_the_same_client_id_gives_the_same_answer_and_stores_nothing(
    chat_id: uuid.UUID, stand: Stand
) -> None:
    client_id = uuid.uuid4()
    first = say(chat_id, "Hi", client_id)
    stand.text = "Something else."
    assert say(chat_id, "Hi", client_id) == first
    assert stand.calls == 1
    assert len(lines(chat_id)) == 3


def test_an_unknown_session_is_not_found(database: Flask) -> None:
    with pytest.raises(NotFound):
        turn.receive(uuid.uuid4(), uuid.uuid4(), "Hi")


def test_no_connection_is_held_while_the_assistant_thinks(chat_id: uuid.UUID, stand: Stand) -> None:
    db.session.rollback()
    say(chat_id, "Hi")
    assert stand.connections_held == [0]


def test_two_tabs_at_once_stay_in_order_and_each_is_answered_once(
    database: Flask, chat_id: uuid.UUID, stand: Stand
) -> None:
    stand.may_answer.clear()
    first = in_thread(database, chat_id, "one")
    assert stand.is_thinking.wait(60)
    second = in_thread(database, chat_id, "two")
    while len(lines(chat_id)) < 3:
        pass
    stand.may_answer.set()
    first.join()
    second.join()
    assert [role for role, _ in lines(chat_id)[1:]] == [
        "visitor",
        "visitor",
        "assistant",
        "assistant",
    ]
    assert stand.calls == 2
    assert count(Turn) == 0


def test_a_repeat_waits_for_the_answer_that_is_being_made(
    database: Flask, chat_id: uuid.UUID, stand: Stand
) -> None:
    stand.may_answer.clear()
    client_id = uuid.uuid4()
    requests = [in_thread(database, chat_id, "one", client_id)]
    assert stand.is_thinking.wait(60)
    requests.append(in_thread(database, chat_id, "one", client_id))
    requests[1].join(0.2)
    assert requests[1].is_alive()
    stand.may_answer.set()
    for request in requests:
        request.join()
    assert stand.calls == 1
    assert len(lines(chat_id)) == 3


def test_a_late_answer_of_a_dead_turn_is_dropped(
    database: Flask, chat_id: uuid.UUID, stand: Stand
) -> None:
    late = turn.respond(turn.receive(chat_id, uuid.uuid4(), "Hi"))
    assert next(late) == "All noted."
    stand.text = "The answer that counts."
    with clock.moved(timedelta(minutes=1)):
        assert answer_all() == 1
    *_, told = late
    assert isinstance(told, Conversation)
    assert told.messages[1].text == "The answer that counts."
    assert lines(chat_id)[2:] == [("assistant", "The answer that counts.")]


def test_a_message_whose_answerer_died_is_answered_when_the_widget_asks_again(
    chat_id: uuid.UUID,
) -> None:
    client_id = uuid.uuid4()
    turn.receive(chat_id, client_id, "Hi")
    with clock.moved(timedelta(minutes=1)):
        assert say(chat_id, "Hi", client_id).messages[1].text == "All noted."
    assert len(lines(chat_id)) == 3


def test_a_message_whose_answerer_died_is_answered_by_the_worker(chat_id: uuid.UUID) -> None:
    turn.receive(chat_id, uuid.uuid4(), "Hi")
    assert answer_all() == 0, "its answerer may still be at work"
    with clock.moved(timedelta(minutes=1)):
        assert answer_all() == 1
        assert answer_all() == 0
    assert lines(chat_id)[1:] == [("visitor", "Hi"), ("assistant", "All noted.")]


def test_who_stops_listening_still_leaves_a_whole_answer(chat_id: uuid.UUID) -> None:
    answer = turn.respond(turn.receive(chat_id, uuid.uuid4(), "Hi"))
    next(answer)
    answer.close()  # type: ignore[attr-defined]
    assert lines(chat_id)[2:] == [("assistant", "All noted.")]


def test_who_leaves_before_the_answer_begins_still_gets_one(chat_id: uuid.UUID) -> None:
    turn.finish(turn.receive(chat_id, uuid.uuid4(), "Hi"))
    assert lines(chat_id)[2:] == [("assistant", "All noted.")]


def test_the_confirming_answer_completes_the_session_with_lead_and_delivery(
    chat_id: uuid.UUID, stand: Stand
) -> None:
    say(chat_id, "My name is Ann, write to ann@example.com")
    stand.text = "Thank you! We will contact you within the next 24\u00a0hrs."
    assert say(chat_id, "Please call me").completion_status == "completed"
    chat = db.session.get_one(ChatSession, chat_id)
    assert (chat.completion_cause, chat.completion_phrase) == ("live", "within 24 hours")
    assert (count(SessionEvent), count(Lead), count(Delivery)) == (1, 1, 1)
    assert db.session.scalars(select(Lead.email)).one() == "ann@example.com"


def test_a_greeting_completes_nothing(database: Flask, stand: Stand) -> None:
    chat_id = begin(assistant="scripted", greeting="We answer within 24 hours.")
    assert db.session.get_one(ChatSession, chat_id).completion_status == "in_progress"


def test_without_the_live_layer_an_answer_completes_nothing(
    chat_id: uuid.UUID, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.completion.layers._active", frozenset({"sweep"}))
    stand.text = "We will contact you within 24 hours."
    assert say(chat_id, "Hi").completion_status == "in_progress"


def test_a_second_confirmation_completes_nothing_twice(chat_id: uuid.UUID, stand: Stand) -> None:
    stand.text = "We will contact you within 24 hours."
    say(chat_id, "Hi")
    say(chat_id, "Really?")
    assert (count(SessionEvent), count(Lead), count(Delivery)) == (1, 1, 1)


def test_reply_completion_lead_and_deliveries_are_one_transaction(
    chat_id: uuid.UUID, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.text = "We will contact you within 24 hours."

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the outbox is broken")

    with monkeypatch.context() as broken:
        broken.setattr("app.delivery.outbox.enqueue_many", fail)
        with pytest.raises(RuntimeError, match="outbox"):
            say(chat_id, "Hi")
    assert [role for role, _ in lines(chat_id)] == ["assistant", "visitor"]
    assert (count(Message), count(SessionEvent), count(Lead), count(Delivery)) == (2, 0, 0, 0)
    assert db.session.get_one(ChatSession, chat_id).completion_status == "in_progress"


def test_contact_details_that_are_taken_back_leave_the_lead(
    chat_id: uuid.UUID, stand: Stand
) -> None:
    stand.draft = Draft(answers={"name": Answer("Ann"), "email": Answer("ann@example.com")})
    say(chat_id, "ann@example.com")
    db.session.rollback()
    assert db.session.scalars(select(Lead.email)).one() == "ann@example.com"
    stand.draft = Draft(answers={"name": Answer("Ann")}, consent="refused")
    say(chat_id, "No, please do not keep that")
    db.session.rollback()
    assert db.session.execute(select(Lead.name, Lead.email)).one() == ("Ann", None)


def test_a_correction_after_the_booking_is_sent_as_an_update(database: Flask) -> None:
    chat_id = begin()
    for text in ("Ann Lee", "Kitchen", "ann@example.com", "020 7946 0958"):
        answer = say(chat_id, text)
    assert answer.completion_status == "completed"
    say(chat_id, "Sorry, actually my email is ann.lee@example.com")
    db.session.rollback()
    events = db.session.scalars(select(Delivery.event).order_by(Delivery.number)).all()
    assert events == ["lead.completed", "lead.updated"]
    assert db.session.scalars(select(Lead.email)).one() == "ann.lee@example.com"
