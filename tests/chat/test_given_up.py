"""A turn that kills its answerers is given up: the answer reads none of it and promises nothing."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.assistants.scripted_words import SENTENCES
from app.chat import lease_keeper, turn, turn_store
from app.chat.turn_store import LEASE_SECONDS, LEFT_TO_WORKER_SECONDS, MOST_BREAKS
from app.completion.detection import compile_phrases
from app.core import clock
from app.core.db import db, transaction
from app.models import ChatSession, Incident
from app.models.transcript import Transcript
from app.sites.demo import DEMO
from tests.chat.test_turn import Stand, begin, chat_id, count, lines, say, stand

__all__ = ["chat_id", "stand"]
POISON = "words that nobody survives"
A_LEASE = timedelta(seconds=LEASE_SECONDS + turn.OVERDUE_SECONDS + 1)
GIVEN_UP = SENTENCES["given_up"]


@pytest.fixture
def read(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the assistant was given, one list a call."""
    given: list[list[str]] = []
    reply = stand.reply

    def noting(transcript: Transcript, site: object) -> object:
        given.append([line.text for line in transcript.lines])
        return reply(transcript, site)  # type: ignore[arg-type]

    monkeypatch.setattr(stand, "reply", noting)
    return given


def die(chat_id: uuid.UUID, times: int, message: str = POISON) -> timedelta:
    """So many answerers take the turn of a new message and die; gives how much time that took."""
    turn.receive(chat_id, uuid.uuid4(), message)
    passed = A_LEASE
    for _ in range(times - 1):
        with clock.moved(passed):
            assert turn_store.claim(chat_id, is_alone=True) is not None
        passed += A_LEASE
    return passed


def test_the_third_death_ends_it(chat_id: uuid.UUID, read: list[list[str]]) -> None:
    with clock.moved(die(chat_id, MOST_BREAKS)):
        assert turn.waiting(is_broken=True) == []  # it kills nobody any more
        assert turn.waiting(is_broken=False) == [chat_id]
        assert turn.answer_waiting(chat_id)
    assert read == []
    assert lines(chat_id)[1:] == [("visitor", POISON), ("assistant", GIVEN_UP)]
    assert db.session.get_one(ChatSession, chat_id).completion_status == "in_progress"
    [incident] = db.session.query(Incident).all()
    assert incident.session_id == chat_id
    shown = f"{incident.title} {incident.problem} {incident.detail} {incident.fingerprint}"
    assert POISON not in shown
    assert not any(word in shown for word in ("nobody survives", "that nobody"))


def test_two_deaths_are_no_reason_to_give_up(chat_id: uuid.UUID, stand: Stand) -> None:
    with clock.moved(die(chat_id, MOST_BREAKS - 1)):
        assert turn.waiting(is_broken=True) == [chat_id]
        assert turn.answer_waiting(chat_id)
    assert lines(chat_id)[1:] == [("visitor", POISON), ("assistant", stand.text)]


def test_nobody_reads_it_in_later_turns_but_everybody_else_does(
    chat_id: uuid.UUID, read: list[list[str]]
) -> None:
    with clock.moved(die(chat_id, MOST_BREAKS)):
        turn.answer_waiting(chat_id)
        say(chat_id, "Are you there?")
        say(chat_id, "Good.")
    assert read[0] == [GIVEN_UP, "Are you there?"]
    assert POISON not in read[1]
    assert ("visitor", POISON) in lines(chat_id)


def test_a_message_that_comes_meanwhile_does_not_take_a_broken_turn_uncounted(
    chat_id: uuid.UUID, read: list[list[str]]
) -> None:
    with clock.moved(die(chat_id, MOST_BREAKS)):
        received = turn.receive(chat_id, uuid.uuid4(), "Hello?")
        assert received.lease is None
        *_, answered = turn.respond(received)
    assert read == []
    assert answered.messages[-1].text == GIVEN_UP  # type: ignore[union-attr]


def test_after_the_second_death_a_request_leaves_it_to_a_process_of_its_own(
    chat_id: uuid.UUID,
) -> None:
    passed = die(chat_id, 2)
    with clock.moved(passed):
        assert turn_store.claim(chat_id) is None
    with clock.moved(passed + timedelta(seconds=LEFT_TO_WORKER_SECONDS)):
        assert turn_store.claim(chat_id) is not None  # unless none comes


def test_a_turn_that_is_given_back_was_not_broken(
    chat_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "_keeper", lease_keeper._Keeper())
    received = turn.receive(chat_id, uuid.uuid4(), "Hi")
    assert received.lease is not None
    with lease_keeper.kept(received.lease.token):
        lease_keeper.release_all(db.engine)
    with transaction() as session:
        token = session.scalar(text("SELECT token FROM turns"))
    assert token is None
    lease = turn_store.claim(chat_id)  # at once
    assert lease is not None
    assert lease.breaks == 0


def test_a_new_message_after_an_answer_begins_to_count_anew(chat_id: uuid.UUID) -> None:
    with clock.moved(die(chat_id, 2)):
        turn.answer_waiting(chat_id)
        turn.receive(chat_id, uuid.uuid4(), "And then?")
    with transaction() as session:
        assert session.scalar(text("SELECT breaks FROM turns")) == 0


def test_the_visitor_may_do_what_they_were_last_invited_to(stand: Stand, database: object) -> None:
    chat_id = begin(assistant="scripted")
    asked = say(chat_id, "Hi").input
    with clock.moved(die(chat_id, MOST_BREAKS)):
        lease = turn_store.claim(chat_id)
        assert lease is not None
        turn.finish(turn.Received(chat_id, None, lease))  # type: ignore[arg-type]
    with transaction() as session:
        newest = text("SELECT input FROM messages ORDER BY id DESC LIMIT 1")
        assert session.scalar(newest) == asked


@pytest.mark.parametrize(
    "phrases",
    [
        DEMO["phrases"],
        ["someone from the team will"],
        ["right now"],
        ["someone from the team will", "trouble answering"],
        ["sorry", "team"],
    ],
)
def test_it_never_completes_a_session(
    stand: Stand, database: object, phrases: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chat_id = begin(assistant="stand", phrases=phrases)
    with clock.moved(die(chat_id, MOST_BREAKS)):
        turn.answer_waiting(chat_id)
    said = lines(chat_id)[-1][1]
    assert said
    assert compile_phrases(tuple(phrases)).find(said) is None
    db.session.rollback()
    assert db.session.get_one(ChatSession, chat_id).completion_status == "in_progress"
    assert count(Incident) == 1
