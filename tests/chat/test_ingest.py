"""Conversations from outside become sessions and messages, once, in their writer's order."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from app.chat.ingest import Incoming, Ingested, Outside, ingest, session_key_of
from app.completion import layers
from app.core import clock
from app.core.db import db, transaction
from app.models import ChatSession, Delivery, Lead, Message, Site
from app.models.chat_session import DeletedSession
from app.models.memory import MemorySource
from tests.factories import make_chat, make_site

PROMISE = "Thank you! We will be in touch within 24 hours."
OWN = "0b1ed0e7-3a88-4f4c-9b39-6f6f3b9a8a11"


@pytest.fixture
def site(session: Session) -> Site:
    return make_site(session)


@pytest.fixture
def source(session: Session) -> int:
    return make_source(session)


def make_source(session: Session) -> int:
    now = clock.now()
    made = MemorySource(table_name=f"t{uuid.uuid4().hex}", created_at=now)
    session.add(made)
    session.flush()
    return made.id


def row(number: int, role: str, words: str) -> Incoming:
    return Incoming(role, words, source_row=number)  # type: ignore[arg-type]


def pushed(external_id: str, role: str, words: str, minutes_ago: float | None = None) -> Incoming:
    said_at = None if minutes_ago is None else clock.now() - timedelta(minutes=minutes_ago)
    return Incoming(role, words, external_id, said_at=said_at)  # type: ignore[arg-type]


def bring(
    session: Session,
    site: Site,
    lines: Sequence[Incoming],
    *,
    key: str = "S-1",
    source: int | None = None,
    channel: str = "n8n",
    cause: str = "auto_sync",
) -> Ingested:
    outside = Outside(site.id, channel, key, lines)  # type: ignore[arg-type]
    done = ingest(session, [outside], cause=cause, source_id=source)
    session.expire_all()
    return done


def transcript(session: Session, session_id: uuid.UUID) -> list[tuple[str, str]]:
    found = session.scalars(
        select(Message)
        .where(Message.session_id == session_id)
        .order_by(Message.created_at, Message.id)
    )
    return [(each.role, each.text) for each in found]


def check_counters(session: Session, session_id: uuid.UUID) -> None:
    session.expire_all()
    chat = session.get_one(ChatSession, session_id)
    lines = transcript(session, session_id)
    newest = session.scalar(
        select(func.max(Message.created_at)).where(Message.session_id == session_id)
    )
    roles = [role for role, _ in lines]
    is_engaged = "visitor" in roles and "assistant" in roles[roles.index("visitor") :]
    assert (chat.message_count, chat.assistant_engaged) == (len(lines), is_engaged)
    assert newest is None or (chat.last_message_at or newest) >= newest


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("S-2__Postgres_Chat_Memory", "S-2"),
        ("S-1", "S-1"),
        (f"{OWN}__My_Memory", OWN),
        (f"{OWN}__1st_memory", OWN),
        ("a__b", "a__b"),
        ("a__b__Simple_Memory", "a__b"),
        ("a__Node__Other_Node", "a"),
        ("__Memory", "__Memory"),
        ("", ""),
    ],
)
def test_a_session_key_loses_the_name_of_its_node(raw: str, key: str) -> None:
    assert session_key_of(raw) == key


def test_rows_become_a_session_that_completes_with_its_lead(
    session: Session, site: Site, source: int
) -> None:
    lines = [
        row(1, "visitor", "Hello, I am Ann Lee"),
        row(2, "assistant", "Your e-mail?"),
        row(5, "visitor", "ann@example.com"),
        row(6, "assistant", PROMISE),
    ]
    done = bring(session, site, lines, key="S-1__Postgres_Chat_Memory", source=source)
    chat = session.scalars(select(ChatSession)).one()
    assert done.sessions == {"S-1__Postgres_Chat_Memory": chat.id}
    assert (done.sessions_created, done.messages_added, done.duplicates) == (1, 4, 0)
    assert (done.completions_found, done.leads_created, done.held) == (1, 1, [])
    assert done.deliveries_enqueued == session.scalar(select(func.count()).select_from(Delivery))
    assert (chat.external_session_id, chat.visitor_id, chat.channel) == ("S-1", "S-1", "n8n")
    assert (chat.completion_status, chat.completion_cause) == ("completed", "auto_sync")
    assert transcript(session, chat.id) == [(each.role, each.text) for each in lines]
    assert session.scalars(select(Lead)).one().email == "ann@example.com"
    assert session.scalars(select(Message.is_checked)).all() == [True] * 4
    check_counters(session, chat.id)


def test_what_is_stored_already_is_a_duplicate(session: Session, site: Site, source: int) -> None:
    lines = [row(1, "visitor", "Hello"), row(2, "assistant", PROMISE)]
    bring(session, site, lines, source=source)
    again = bring(session, site, [*lines, row(3, "visitor", "Thanks")], source=source)
    assert (again.messages_added, again.duplicates, again.completions_found) == (1, 2, 0)
    assert again.sessions_created == 0
    pair = [pushed("a", "visitor", "Hello"), pushed("a", "visitor", "Hello")]
    first = bring(session, site, pair, key="P", channel="api", cause="live")
    assert (first.messages_added, first.duplicates) == (1, 1)
    second = bring(session, site, pair[:1], key="P", channel="api", cause="live")
    assert (second.messages_added, second.duplicates) == (0, 1)
    assert list(second.sessions.values()) == list(first.sessions.values())
    assert session.scalar(select(func.count()).select_from(Lead)) == 1


def test_an_own_session_id_means_that_session(session: Session, site: Site) -> None:
    chat = make_chat(session)
    done = bring(session, site, [pushed("a", "agent", "Ann here")], key=str(chat.id))
    assert list(done.sessions.values()) == [chat.id]
    assert chat.site_id != site.id
    check_counters(session, chat.id)


def test_a_deleted_session_does_not_come_back(session: Session, site: Site, source: int) -> None:
    gone = uuid.uuid4()
    for session_id, key in ((gone, None), (uuid.uuid4(), "S-1")):
        session.add(
            DeletedSession(
                session_id=session_id,
                site_id=site.id,
                channel="n8n",
                external_session_id=key,
                deleted_at=clock.now(),
            )
        )
    session.flush()
    one = bring(session, site, [row(1, "visitor", "Hi")], key=f"{gone}__My_Memory", source=source)
    two = bring(
        session, site, [row(2, "visitor", "Hi")], key="S-1__Postgres_Chat_Memory", source=source
    )
    for done in (one, two):
        assert (done.duplicates, done.messages_added, done.sessions) == (1, 0, {})
    assert session.scalar(select(func.count()).select_from(ChatSession)) == 0


def test_rows_keep_the_order_of_their_source_however_late_they_come(
    session: Session, site: Site, source: int
) -> None:
    numbers = [1, 2, 900, 5_000, 5_001, 70_000, 70_001]
    order = [900, 70_001, 5_000, 2, 70_000, 1, 5_001]
    for number in order:
        done = bring(session, site, [row(number, "visitor", f"line {number}")], source=source)
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == [f"line {number}" for number in numbers]
    check_counters(session, session_id)


def test_rows_seen_at_once_keep_their_order_and_end_now(
    session: Session, site: Site, source: int
) -> None:
    before = clock.now()
    lines = [row(number, "visitor", f"line {number}") for number in (9, 3, 100_000, 4)]
    done = bring(session, site, lines, source=source)
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == ["line 3", "line 4", "line 9", "line 100000"]
    newest = session.scalar(select(func.max(Message.created_at)))
    assert newest is not None
    assert before <= newest <= clock.now()


def test_a_late_row_between_two_far_rows_seen_at_once_fits_between_them(
    session: Session, site: Site, source: int
) -> None:
    ends = [row(number, "visitor", f"line {number}") for number in (1_000, 9_000)]
    done = bring(session, site, ends, source=source)
    for number in (5_000, 3_000, 4_000, 8_999):
        bring(session, site, [row(number, "visitor", f"line {number}")], source=source)
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == [f"line {number}" for number in (1_000, 3_000, 4_000, 5_000, 8_999, 9_000)]


def test_a_visitors_row_that_comes_late_makes_the_promise_count(
    session: Session, site: Site, source: int
) -> None:
    first = bring(session, site, [row(2, "assistant", PROMISE)], source=source)
    assert first.completions_found == 0
    second = bring(session, site, [row(1, "visitor", "ann@example.com")], source=source)
    assert (second.completions_found, second.leads_created) == (1, 1)
    (session_id,) = second.sessions.values()
    check_counters(session, session_id)


def test_pushed_lines_take_the_time_they_were_said_at(session: Session, site: Site) -> None:
    done = bring(
        session,
        site,
        [pushed("c", "visitor", "third", 1), pushed("d", "visitor", "now")],
        channel="api",
    )
    bring(
        session,
        site,
        [pushed("a", "visitor", "first", 9), pushed("b", "visitor", "second", 5)],
        channel="api",
    )
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == ["first", "second", "third", "now"]
    chat = session.get_one(ChatSession, session_id)
    assert chat.started_at <= clock.now() - timedelta(minutes=9)
    assert chat.last_message_at is not None
    assert chat.last_message_at > clock.now() - timedelta(minutes=1)


def test_a_switched_off_layer_stores_without_judging(
    session: Session, site: Site, source: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "_active", frozenset({"sweep"}))
    lines = [row(1, "visitor", "Hi"), row(2, "assistant", PROMISE)]
    done = bring(session, site, lines, source=source)
    assert (done.messages_added, done.completions_found) == (2, 0)
    assert session.scalars(select(Message.is_checked)).all() == [False, False]


def test_words_that_no_message_can_hold_are_made_to_fit(
    session: Session, site: Site, source: int
) -> None:
    lines = [
        row(1, "visitor", "nul\0 and half \ud83d here"),
        row(2, "visitor", " \n "),
        row(3, "assistant", "a" * 30_000 + "end"),
    ]
    done = bring(session, site, lines, source=source)
    assert (done.messages_added, done.duplicates) == (2, 0)
    (session_id,) = done.sessions.values()
    (_, first), (_, second) = transcript(session, session_id)
    assert first == "nul and half  here"
    assert len(second) <= 20_000
    assert second.startswith("aaa")
    assert " […] " in second
    assert second.endswith("end")


def test_a_contact_detail_without_completion_makes_a_lead_and_a_change_later_updates_it(
    session: Session, site: Site, source: int
) -> None:
    lines = [row(1, "visitor", "I am at ann@example.com"), row(2, "assistant", "Good.")]
    done = bring(session, site, lines, source=source)
    assert (done.leads_created, done.completions_found) == (1, 0)
    bring(session, site, [row(3, "assistant", PROMISE)], source=source)
    more = bring(
        session, site, [row(4, "visitor", "Sorry, I meant lee@example.com")], source=source
    )
    assert (more.leads_created, more.completions_found) == (0, 0)
    assert session.scalars(select(Lead)).one().email == "lee@example.com"
    events = session.scalars(select(Delivery.event).order_by(Delivery.created_at)).all()
    assert set(events) == {"lead.completed", "lead.updated"}


def test_many_conversations_take_a_dozen_statements(
    session: Session, site: Site, source: int
) -> None:
    conversations = [
        Outside(
            site.id,
            "n8n",
            f"S-{number}",
            [
                row(2 * number, "visitor", f"me{number}@example.com"),
                row(2 * number + 1, "assistant", "Noted."),
            ],
        )
        for number in range(1, 201)
    ]
    ingest(session, conversations[:1], cause="auto_sync", source_id=source)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    done = ingest(session, conversations, cause="auto_sync", source_id=source)
    assert (done.sessions_created, done.messages_added, done.leads_created) == (199, 398, 199)
    assert len(statements) <= 14, statements


def test_two_writers_of_the_same_conversations_store_each_line_once(database: Flask) -> None:
    with transaction() as session:
        site_id = make_site(session).id
        source = make_source(session)
    results: list[Ingested] = []
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def write(is_reversed: bool) -> None:
        with database.app_context():
            conversations = [
                Outside(
                    site_id,
                    "n8n",
                    f"S-{key}",
                    [
                        row(10 * key + n, ("visitor", "assistant")[n % 2], f"{key}/{n}")
                        for n in range(6)
                    ],
                )
                for key in range(50)
            ]
            if is_reversed:
                conversations.reverse()
            start.wait()
            try:
                for at in range(0, 50, 10):
                    with transaction() as session:
                        results.append(
                            ingest(
                                session,
                                conversations[at : at + 20],
                                cause="auto_sync",
                                source_id=source,
                            )
                        )
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=write, args=(n % 2 == 1,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(ChatSession)) == 50
        assert session.scalar(select(func.count()).select_from(Message)) == 300
        wrong = session.execute(
            text(
                "SELECT count(*) FROM chat_sessions s WHERE message_count <>"
                " (SELECT count(*) FROM messages m WHERE m.session_id = s.id)"
            )
        ).scalar()
        assert wrong == 0
    assert sum(each.sessions_created for each in results) == 50
    assert sum(each.messages_added for each in results) == 300
