"""N8n's memory knows more than we were told: answers that came too late, broke off, or twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.assistants.registry import ASSISTANTS
from app.chat.trial import try_out
from app.chat.turn_store import store_message
from app.core import clock
from app.core.db import db, transaction
from app.models import ChatSession, Delivery, Lead, Site
from app.models.transcript import Draft, Line
from config import Settings
from tests.chat.test_n8n_conversations import _read_all
from tests.chat.test_turn import answer_all, begin, lines, say
from tests.fakes.n8n_chat import N8nChat, running_n8n_chat
from tests.fakes.n8n_protocol import BEGIN, END, HALF, Script, event, item, round_of, streamed

LIMITS = {"first_word_seconds": 1, "answer_seconds": 2}
PROMISE = "Thank you. We will contact you **within 24 hours**."
LOOK, OPEN = "Let me look that up.", "We open at 9."


@pytest.fixture
def n8n(database: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[N8nChat]:
    with running_n8n_chat(settings.libpq_url) as chat:
        monkeypatch.setattr(ASSISTANTS["n8n"], "url", chat.url)
        yield chat


def read() -> None:
    """Whatever has come, more than once."""
    db.session.rollback()
    for _ in range(2):
        _read_all()
    db.session.rollback()


def said(chat_id: uuid.UUID) -> list[str]:
    """All but the greeting."""
    return [words for _, words in lines(chat_id)][1:]


def status(chat_id: uuid.UUID) -> str:
    db.session.rollback()
    return db.session.get_one(ChatSession, chat_id).completion_status


def turn_rows(asked: str, *answers: str) -> list[tuple[str, object]]:
    """What an agent notes of one turn: its words before a tool, the tool's, its words after."""
    rows: list[tuple[str, object]] = [("human", asked)]
    for words in answers[:-1]:
        rows += [("ai", words), ("tool", '[{"response":"9"}]')]
    return [*rows, ("ai", answers[-1])]


def test_an_answer_after_the_limit_is_stored_once_and_completes_if_it_promises(
    n8n: N8nChat,
) -> None:
    n8n.then.append(Script((BEGIN, "hang")))
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    asked = "I am Ann Lee, ann@example.com. Please call me"
    fallback = say(chat_id, asked).messages[-1].text
    assert status(chat_id) == "in_progress"
    n8n.write(f"{chat_id}__Postgres_Chat_Memory", turn_rows(asked, PROMISE))
    read()
    shown = PROMISE.replace("*", "")
    assert said(chat_id) == [asked, fallback, shown]
    assert status(chat_id) == "completed"
    assert db.session.scalars(select(Lead)).one().email == "ann@example.com"
    assert len(db.session.scalars(select(Delivery)).all()) == 1


def test_after_a_late_answer_the_next_ones_stay_what_they_are(n8n: N8nChat) -> None:
    n8n.then.extend([Script((BEGIN, "hang")), streamed("Noted, ", "Ann.")])
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    fallback = say(chat_id, "When?").messages[-1].text
    n8n.write(str(chat_id), turn_rows("When?", LOOK, OPEN))
    say(chat_id, "Ann Lee")
    n8n.write(str(chat_id), turn_rows("Ann Lee", "Noted, Ann."))
    read()
    assert sorted(said(chat_id)) == sorted(
        ["When?", fallback, LOOK, OPEN, "Ann Lee", "Noted, Ann."]
    )


@pytest.mark.parametrize("end", ["cut", "stop"])
def test_a_broken_stream_is_replaced_and_what_n8n_noted_is_there_once(
    n8n: N8nChat, end: str
) -> None:
    whole = "Our kitchens cost 10."
    n8n.then.append(Script((*HALF, "cut" if end == "cut" else "stop")))
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    fallback = say(chat_id, "Prices?").messages[-1].text
    n8n.write(str(chat_id), turn_rows("Prices?", whole))
    read()
    assert said(chat_id) == ["Prices?", fallback, whole]


def test_a_stream_that_breaks_after_a_whole_round_doubles_no_round(n8n: N8nChat) -> None:
    n8n.then.append(Script((*round_of(LOOK), BEGIN, item("We op"), event("error"))))
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    fallback = say(chat_id, "When?").messages[-1].text
    n8n.write(str(chat_id), turn_rows("When?", LOOK, OPEN))
    read()
    assert said(chat_id) == ["When?", fallback, LOOK, OPEN]


def test_an_answer_in_rounds_is_there_once(n8n: N8nChat) -> None:
    def write() -> None:
        n8n.write(f"{chat_id}__Memory", turn_rows("When?", LOOK, OPEN))

    rounds = round_of("Let me look ", "that up.")
    n8n.then.append(Script((*rounds, BEGIN, item(OPEN), write, END)))
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    answer = say(chat_id, "When?").messages[-1].text
    assert answer == f"{LOOK}\n\n{OPEN}"
    read()
    assert said(chat_id) == ["When?", answer]


def test_an_answer_in_markdown_is_there_once(n8n: N8nChat) -> None:
    written = "# Prices\n\n- Kitchen: **10**\n- [Bath](https://example.com/bath)\n\n`Call` us"
    n8n.then.append(Script((BEGIN, *map(item, written), END)))
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    answer = say(chat_id, "Prices?").messages[-1].text
    n8n.write(str(chat_id), turn_rows("Prices?", written))
    read()
    assert said(chat_id) == ["Prices?", answer]
    assert answer == "Prices\n\n• Kitchen: 10\n• Bath (https://example.com/bath)\n\nCall us"


def test_a_structured_answer_is_there_once_and_its_data_nowhere(n8n: N8nChat) -> None:
    data = '{"output": {"output": "And your phone?", "lead": {"name": "Ann"}, "asks_for": "phone"}}'
    n8n.then.append(streamed(data))
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    say(chat_id, "Hi")
    n8n.write(str(chat_id), turn_rows("Hi", data))
    read()
    assert said(chat_id) == ["Hi", "And your phone?"]


def test_a_question_that_n8n_was_asked_twice_has_one_answer(n8n: N8nChat) -> None:
    def write() -> None:
        n8n.write(str(chat_id), turn_rows("When?", LOOK, OPEN))

    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    _, lease = store_message(chat_id, uuid.uuid4(), "When?")
    assert lease is not None
    write()  # and then whoever had asked died
    again = (*round_of(LOOK), BEGIN, item(OPEN), write, END)
    n8n.then.append(Script(again))
    with transaction() as session:
        session.execute(text("UPDATE turns SET expires_at = now() - interval '1 minute'"))
    assert answer_all() == 1
    read()
    assert said(chat_id) == ["When?", f"{LOOK}\n\n{OPEN}"]


def test_who_dies_after_n8n_has_written_rounds_leaves_each_once(n8n: N8nChat) -> None:
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    _, lease = store_message(chat_id, uuid.uuid4(), "When?")
    assert lease is not None
    n8n.write(str(chat_id), turn_rows("When?", LOOK, OPEN))
    with transaction() as session:
        session.execute(text("UPDATE turns SET expires_at = now() - interval '1 minute'"))
    read()
    assert answer_all() == 0
    assert said(chat_id) == ["When?", LOOK, OPEN]
    assert not n8n.requests


def test_of_a_trial_nothing_is_stored_though_n8n_notes_it(n8n: N8nChat) -> None:
    chat_id = begin(assistant="n8n", assistant_settings=LIMITS)
    site = db.session.scalars(select(Site)).one()
    profile, site_id = site.profile(), site.id
    db.session.rollback()
    n8n.then.append(streamed("We will contact you within 24 hours."))
    line = Line(1, "visitor", "I am at ann@example.com", clock.now())
    tried = try_out(profile, site_id, [line], Draft(), uuid.uuid4())
    assert tried.text == "We will contact you within 24 hours."
    session_id = n8n.requests[0]["sessionId"]
    n8n.write(f"{session_id}__Postgres_Chat_Memory", turn_rows(line.text, tried.text))
    read()
    assert [each.id for each in db.session.scalars(select(ChatSession))] == [chat_id]
    assert said(chat_id) == []
    assert db.session.scalars(select(Lead)).all() == []
