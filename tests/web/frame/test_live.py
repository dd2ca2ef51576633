from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from app.core import events
from app.core.db import db, transaction
from app.core.live import MOST_OF_ONE_OWNER, Hub, Mailbox, TooManyReaders
from config import Settings
from tests.factories import make_chat
from tests.web.signed_in import make_user, sign_in

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'platform-5ive live updates'"


@pytest.fixture
def own_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub nobody has used yet: its first reader is told to load again once it listens."""
    own = Hub()
    monkeypatch.setattr("app.web.frame.live.hub", own)
    yield own
    own.close()


def test_news_adds_up_until_it_is_taken() -> None:
    mailbox = Mailbox()
    mailbox.put({"sessions": ["b"]})
    mailbox.put({"sessions": ["a", "b"], "deliveries": ["c"]})
    news = mailbox.take(0)
    assert news is not None
    assert (news.changed, news.reload) == ({"sessions": ["a", "b"], "deliveries": ["c"]}, False)
    assert mailbox.take(0) is None


def test_a_slow_reader_costs_no_memory() -> None:
    mailbox = Mailbox()
    for number in range(1000):
        mailbox.put({"sessions": [str(number)]})
    news = mailbox.take(0)
    assert news is not None
    assert news.reload
    assert len(mailbox._changed.get("sessions", ())) <= 100


def test_one_connection_serves_every_reader(database: Flask, settings: Settings) -> None:
    own = Hub()
    before = set(listener_ids(settings))
    mailboxes = [own.join(settings.listen_url) for _ in range(5)]
    assert all(first_news(mailbox).reload for mailbox in mailboxes)
    assert len(set(listener_ids(settings)) - before) == 1
    with transaction() as session:
        chat = make_chat(session)
        events.announce(session, "sessions", chat.id)
    for mailbox in mailboxes:
        assert first_news(mailbox).changed == {"sessions": [str(chat.id)]}
    own.close()


def test_a_transaction_rolled_back_tells_nothing(database: Flask, settings: Settings) -> None:
    own = Hub()
    mailbox = own.join(settings.listen_url)
    first_news(mailbox)
    with pytest.raises(ZeroDivisionError):
        announce_and_fail()
    assert mailbox.take(0.3) is None
    own.close()


def test_after_a_lost_connection_readers_load_again(database: Flask, settings: Settings) -> None:
    own = Hub()
    before = set(listener_ids(settings))
    mailbox = own.join(settings.listen_url)
    first_news(mailbox)
    (pid,) = set(listener_ids(settings)) - before
    with psycopg.connect(settings.listen_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    assert first_news(mailbox).reload
    with transaction() as session:
        events.announce(session, "sessions", "x")
    assert first_news(mailbox).changed == {"sessions": ["x"]}
    own.close()


def test_a_notice_that_is_not_ours_is_skipped(database: Flask, settings: Settings) -> None:
    own = Hub()
    mailbox = own.join(settings.listen_url)
    first_news(mailbox)
    with psycopg.connect(settings.listen_url, autocommit=True) as connection:
        for payload in ("", "x", "[]", "5", '{"sessions": 5}'):
            connection.execute("SELECT pg_notify(%s, %s)", (events.CHANNEL, payload))
    assert mailbox.take(0.3) is None
    own.close()


def test_there_is_an_end_to_the_number_of_readers(settings: Settings, database: Flask) -> None:
    own = Hub(most_readers=2)
    first, _second = own.join(settings.listen_url), own.join(settings.listen_url)
    with pytest.raises(TooManyReaders):
        own.join(settings.listen_url)
    own.leave(first)
    own.join(settings.listen_url)
    own.close()


def test_an_owner_with_too_many_loses_the_oldest(settings: Settings, database: Flask) -> None:
    own = Hub(most_readers=2 * MOST_OF_ONE_OWNER)
    theirs = own.join(settings.listen_url, "bob")
    mine = [own.join(settings.listen_url, "ann") for _ in range(MOST_OF_ONE_OWNER + 2)]
    assert [each.is_replaced for each in mine] == [True, True] + [False] * MOST_OF_ONE_OWNER
    assert not theirs.is_closed
    # What was closed counts until its request has ended: no thread goes uncounted.
    assert own.reader_count == 1 + len(mine)
    for each in mine[:2]:
        assert each.take(60) is None or each.is_closed
        own.leave(each)
    own.join(settings.listen_url, "bob")
    assert not theirs.is_closed
    own.close()


def test_one_agent_cannot_take_the_streams_of_the_others(server: str, own_hub: Hub) -> None:
    make_user()
    make_user("bob@example.com")
    with ExitStack() as browsers:
        first = browsers.enter_context(stream(server))
        assert read_event(first) == ("reload", {})
        rest = [browsers.enter_context(stream(server)) for _ in range(MOST_OF_ONE_OWNER + 3)]
        assert read_last(first) == ("replaced", {})
        for lines in rest[:3]:
            assert read_last(lines) == ("replaced", {})
        theirs = browsers.enter_context(stream(server, "bob@example.com"))
        with transaction() as session:
            events.announce(session, "sessions", "x")
        for lines in (*rest[3:], theirs):
            read_until_sessions(lines)


def test_closing_sends_every_reader_home(database: Flask, settings: Settings) -> None:
    own = Hub()
    mailbox = own.join(settings.listen_url)
    threading.Timer(0.1, own.close).start()
    started = time.monotonic()
    while not mailbox.is_closed:
        mailbox.take(60)
    assert time.monotonic() - started < 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_listens_by_itself(database: Flask, settings: Settings) -> None:
    own = Hub()
    first_news(own.join(settings.listen_url))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        mailbox = own.join(settings.listen_url)
        news = mailbox.take(5)
        os.write(writing, b"yes" if news and news.reload and own.reader_count == 1 else b"no")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"yes"
    os.close(reading)
    os.close(writing)
    own.close()


def test_the_stream_tells_at_once_and_holds_no_connection(server: str, own_hub: Hub) -> None:
    make_user()
    with stream(server) as lines:
        assert read_event(lines) == ("reload", {})
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        with transaction() as session:
            chat = make_chat(session)
            events.announce(session, "sessions", chat.id)
        assert read_event(lines) == ("changed", {"sessions": [str(chat.id)]})


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_only_admins_are_told_of_users_keys_and_the_log(
    server: str, own_hub: Hub, role: str
) -> None:
    make_user(role=role)
    with stream(server) as lines:
        assert read_event(lines) == ("reload", {})
        told: dict[events.Topic, str] = {
            "users": "u",
            "keys": "k",
            "audit": "a",
            "sign_ins": "s",
            "sites": "i",
        }
        with transaction() as session:
            for topic, changed_id in told.items():
                events.announce(session, topic, changed_id)
        seen = {"sites": ["i"]}
        if role == "admin":
            seen |= {"users": ["u"], "keys": ["k"], "audit": ["a"]}
        assert read_event(lines) == ("changed", seen)


def test_too_many_streams_are_told_when_to_come_again(
    client: FlaskClient, database: Flask, own_hub: Hub
) -> None:
    make_user()
    sign_in(client)
    own_hub.most_readers = 0
    answer = client.get("/live")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"


def test_a_reader_who_goes_is_forgotten(
    server: str, own_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.frame.live.HEARTBEAT_SECONDS", 0.1)
    make_user()
    with stream(server) as lines:
        read_event(lines)
        assert own_hub.reader_count == 1
    wait_until = time.monotonic() + 5
    while own_hub.reader_count and time.monotonic() < wait_until:
        time.sleep(0.05)
    assert own_hub.reader_count == 0


def announce_and_fail() -> None:
    with transaction() as session:
        events.announce(session, "sessions", "x")
        raise ZeroDivisionError


@contextmanager
def stream(server: str, email: str = "ann@example.com") -> Iterator[Iterator[str]]:
    with requests.Session() as browser:
        page = browser.get(f"{server}/login", timeout=30).text
        token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        data = {"csrf_token": token, "email": email, "password": "correct horse"}
        assert browser.post(f"{server}/login", data=data, timeout=30).ok
        with browser.get(f"{server}/live", stream=True, timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            assert answer.headers["Cache-Control"] == "no-store"
            yield answer.iter_lines(chunk_size=1, decode_unicode=True)


def read_event(lines: Iterator[str]) -> tuple[str, object]:
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        if line.startswith("data: "):
            return kind, json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


def read_last(lines: Iterator[str]) -> tuple[str, object]:
    """The last event of a stream that ends."""
    last = read_event(lines)
    while True:
        try:
            last = read_event(lines)
        except AssertionError:
            return last


def read_until_sessions(lines: Iterator[str]) -> None:
    """Signing in is news, too."""
    while "sessions" not in str(read_event(lines)[1]):
        pass


def first_news(mailbox: Mailbox):  # type: ignore[no-untyped-def]
    news = mailbox.take(5)
    assert news is not None
    return news


def listener_ids(settings: Settings) -> list[int]:
    with psycopg.connect(settings.listen_url) as connection:
        return [pid for (pid,) in connection.execute(LISTENERS)]
