"""Widget sessions that N8n answers: nothing twice, and what only N8n wrote appears."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.chat.ingest import Incoming, Outside, ingest
from app.core import clock
from app.models import ChatSession, Lead, Message, Site, Turn
from tests.chat.outside import PROMISE, bring, check_counters, make_source, row, transcript
from tests.factories import make_chat, make_message, make_site


@pytest.fixture
def site(session: Session) -> Site:
    return make_site(session)


@pytest.fixture
def source(session: Session) -> int:
    return make_source(session)


@pytest.fixture
def chat(session: Session, site: Site) -> ChatSession:
    chat = make_chat(session, site)
    make_message(session, chat, role="assistant", text="Welcome!")
    return chat


def ask(session: Session, chat: ChatSession, words: str) -> Message:
    return make_message(session, chat, text=words, client_id=uuid.uuid4())


def answer(session: Session, chat: ChatSession, words: str, to: Message) -> Message:
    chat.assistant_engaged = True
    return make_message(session, chat, role="assistant", text=words, reply_to_id=to.id)


def wait(session: Session, chat: ChatSession, message: Message, *, seconds: float) -> None:
    """A turn whose lease ends in so many seconds."""
    expires_at = clock.now() + timedelta(seconds=seconds)
    session.add(
        Turn(session_id=chat.id, message_id=message.id, token=uuid.uuid4(), expires_at=expires_at)
    )
    session.flush()


def test_linking_shifts_nothing_that_is_seen(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    question = ask(session, chat, "Hi")
    answer(session, chat, "Hello!", question)
    session.expire_all()
    before = [(each.id, each.created_at) for each in session.scalars(select(Message))]
    changed_at = session.get_one(ChatSession, chat.id).last_message_at
    done = bring(
        session,
        site,
        [row(1, "visitor", "Hi"), row(2, "assistant", "Hello! ")],
        key=f"{chat.id}__Postgres_Chat_Memory",
        source=source,
    )
    assert (done.messages_added, done.duplicates, done.sessions_created) == (0, 2, 0)
    assert [(m.id, m.created_at) for m in session.scalars(select(Message))] == before
    assert session.get_one(ChatSession, chat.id).last_message_at == changed_at
    assert session.scalars(select(Message.source_row).order_by(Message.id)).all() == [None, 1, 2]
    again = bring(session, site, [row(1, "visitor", "Hi")], key=str(chat.id), source=source)
    assert (again.messages_added, again.duplicates) == (0, 1)


def test_rows_wait_while_the_turn_is_being_answered(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    question = ask(session, chat, "Hi")
    wait(session, chat, question, seconds=20)
    rows = [row(1, "visitor", "Hi"), row(2, "assistant", "Hello!")]
    done = bring(session, site, rows, key=str(chat.id), source=source)
    assert (done.held, done.messages_added, done.duplicates) == ([1, 2], 0, 0)
    session.delete(session.get_one(Turn, chat.id))
    answer(session, chat, "Hello!", question)
    done = bring(session, site, rows, key=str(chat.id), source=source)
    assert (done.held, done.messages_added) == ([], 0)
    assert transcript(session, chat.id)[1:] == [("visitor", "Hi"), ("assistant", "Hello!")]


def test_what_n8n_wrote_before_the_answerer_died_is_the_answer(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    question = ask(session, chat, "I am at ann@example.com")
    wait(session, chat, question, seconds=-1)
    rows = [row(1, "visitor", question.text), row(2, "assistant", PROMISE)]
    done = bring(session, site, rows, key=str(chat.id), source=source)
    assert (done.messages_added, done.completions_found, done.leads_created) == (1, 1, 1)
    assert session.get(Turn, chat.id) is None
    stored = session.scalars(select(Message).where(Message.reply_to_id == question.id)).one()
    assert (stored.text, stored.input) == (PROMISE, {"type": "text", "required": False})
    check_counters(session, chat.id)


def test_a_lead_of_a_dead_turn_is_kept(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    question = ask(session, chat, "I am at ann@example.com")
    wait(session, chat, question, seconds=-1)
    rows = [row(1, "visitor", question.text), row(2, "assistant", "Noted.")]
    done = bring(session, site, rows, key=str(chat.id), source=source)
    assert (done.leads_created, done.completions_found) == (1, 0)
    assert session.scalars(select(Lead.email)).one() == "ann@example.com"


def test_a_late_answer_to_an_older_question_does_not_answer_the_newest(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    first = ask(session, chat, "Prices?")
    answer(session, chat, "What is your name?", first)  # somebody stood in for N8n
    second = ask(session, chat, "Ann")
    wait(session, chat, second, seconds=-1)
    rows = [row(1, "visitor", "Prices?"), row(2, "assistant", "From 10 pounds.")]
    done = bring(session, site, rows, key=str(chat.id), source=source)
    assert done.messages_added == 1
    assert session.get_one(Turn, chat.id).message_id == second.id
    assert ("assistant", "From 10 pounds.") in transcript(session, chat.id)
    check_counters(session, chat.id)


def test_the_first_of_two_answers_ends_the_turn_once(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    question = ask(session, chat, "Hi")
    wait(session, chat, question, seconds=-1)
    rows = [
        row(1, "visitor", "Hi"),
        row(2, "assistant", "Hello!"),
        row(3, "visitor", "Hi"),
        row(4, "assistant", "Hello!"),
        row(5, "visitor", "Hi"),
        row(6, "assistant", "Good day!"),
    ]
    bring(session, site, rows, key=str(chat.id), source=source)
    said = transcript(session, chat.id)[1:]
    assert said == [("visitor", "Hi"), ("assistant", "Hello!"), ("assistant", "Good day!")]
    replies = session.scalars(select(Message.text).where(Message.reply_to_id.is_not(None))).all()
    assert replies == ["Hello!"]
    assert session.get(Turn, chat.id) is None


def test_a_line_that_only_n8n_wrote_stands_before_the_answer_it_was_written_before(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    question = ask(session, chat, "Hi")
    answer(session, chat, "Good day!", question)
    rows = [
        row(1, "visitor", "Hi"),
        row(2, "assistant", "One moment."),
        row(3, "assistant", "Good day!"),
        row(4, "visitor", "I wrote this elsewhere: bob@example.com"),
    ]
    done = bring(session, site, rows, key=str(chat.id), source=source)
    assert (done.messages_added, done.leads_created) == (2, 1)
    assert [words for _, words in transcript(session, chat.id)] == [
        "Welcome!",
        "Hi",
        "One moment.",
        "Good day!",
        "I wrote this elsewhere: bob@example.com",
    ]
    check_counters(session, chat.id)


def test_a_question_noted_twice_leaves_the_next_equal_one_its_row(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    first = ask(session, chat, "yes")
    answer(session, chat, "Noted.", first)
    second = ask(session, chat, "yes")
    answer(session, chat, "One moment.", second)
    lines = [
        row(1, "visitor", "yes"),
        row(2, "visitor", "yes"),  # asked again inside the workflow
        row(3, "assistant", "Noted."),
        row(4, "visitor", "yes"),
        row(5, "assistant", "Noted."),  # this answer was lost on its way to us
    ]
    for batch in (lines[:1], lines[1:3], lines[3:]):
        bring(session, site, batch, key=str(chat.id), source=source)
    session.expire_all()
    assert session.get_one(Message, second.id).source_row == 4
    said = [text for _, text in transcript(session, chat.id)]
    assert said.count("Noted.") == 2
    assert said.count("yes") == 2


def test_what_a_workflow_posted_is_no_line_typed_into_the_widget(
    session: Session, site: Site, source: int
) -> None:
    """Rows of N8n that say the same again are lines of their own, unless the widget has them."""
    posted = Incoming("visitor", "yes", external_id="m-1")
    ingest(session, [Outside(site.id, "n8n", "S-1", [posted])], cause="live")
    lines = [row(1, "visitor", "yes"), row(2, "assistant", "Sure?"), row(3, "visitor", "yes")]
    bring(session, site, lines, key="S-1", source=source)
    chat = session.scalars(select(ChatSession)).one()
    said = [text for _, text in transcript(session, chat.id)]
    assert said == ["yes", "Sure?", "yes"]


def test_rows_seen_after_a_reopening_are_newer_than_it(
    session: Session, site: Site, source: int, chat: ChatSession
) -> None:
    ask(session, chat, "Hi")
    at = clock.now() + timedelta(milliseconds=5)  # said by a process whose clock is ahead
    make_message(session, chat, role="assistant", text="Hm", created_at=at)
    reopened_at = at
    lines = [row(7, "assistant", PROMISE), row(8, "visitor", "Thanks")]
    bring(session, site, lines, key=str(chat.id), source=source)
    session.expire_all()
    newest = session.scalars(select(Message).where(Message.source_row == 7)).one()
    assert newest.created_at > reopened_at
