"""How much one chat, one address and one site may ask for, and what they are told beyond it."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from app.assistants.registry import ASSISTANTS
from app.core.crypto import Signer
from app.core.db import db, transaction
from app.core.gate import Gate
from app.core.rates import Rates
from app.models import ChatSession, Site
from app.web.widget import conversation, limits
from tests.chat.test_turn import Stand
from tests.chat.test_waiting import until_waiting, waits
from tests.factories import make_site
from tests.fakes.n8n_chat import running_workflow
from tests.fakes.n8n_protocol import BEGIN, END, Script, item
from tests.web.sse import read_events
from tests.web.widget.test_conversation import message, send, start, stored

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def site(database: Flask) -> str:
    with transaction() as session:
        return str(make_site(session, key="acme").key)


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "rates", Rates("memory://", is_enabled=True))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate(5)  # one site gets four
    monkeypatch.setattr(conversation, "long_requests", gate)
    return gate


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch, database: Flask) -> Iterator[Stand]:
    stand = Stand()
    monkeypatch.setitem(ASSISTANTS, "stand", stand)
    with transaction() as session:
        for key in ("slow", "slow-too"):
            make_site(session, key=key, assistant="stand")
    yield stand
    stand.may_answer.set()


def catch_up(client: FlaskClient, started: dict[str, Any], after: int = 0) -> Any:
    path = f"/widget/sessions/{started['session_id']}/messages?after={after}"
    return client.get(path, headers={"Authorization": f"Bearer {started['token']}"})


def from_address(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


def refused(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    return str(json.loads(answer.text)["detail"])


# Rates


def test_starts_are_counted_by_address_and_by_site(
    client: FlaskClient, site: str, limited: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STARTS_PER_ADDRESS", "3/minute")
    monkeypatch.setattr(limits, "STARTS_PER_SITE", "5/minute")
    with transaction() as session:
        make_site(session, key="other")

    def begin(address: str, key: str = "acme") -> Any:
        return client.post(f"/widget/{key}/sessions", json={}, **from_address(address))

    assert [begin("2001:db8::1").status_code for _ in range(3)] == [201] * 3
    refused(begin("2001:db8::2"), 429)  # the same subscriber
    assert [begin("192.0.2.7").status_code for _ in range(2)] == [201] * 2
    refused(begin("192.0.2.8"), 429)
    assert begin("192.0.2.8", "other").status_code == 201
    assert stored(ChatSession) == 6


def test_messages_are_counted_by_address_and_by_site(
    client: FlaskClient, site: str, limited: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MESSAGES_PER_ADDRESS", "3/minute")
    monkeypatch.setattr(limits, "MESSAGES_PER_SITE", "5/minute")
    chats = [start(client) for _ in range(3)]
    for chat in chats:
        assert send(client, chat, message(), **from_address("192.0.2.7")).status_code == 200
    said = message()
    words = refused(send(client, chats[0], said, **from_address("192.0.2.7")), 429)
    assert "wait a moment" in words
    assert send(client, chats[0], said, **from_address("192.0.2.8")).status_code == 200
    assert send(client, chats[1], message(), **from_address("192.0.2.9")).status_code == 200
    refused(send(client, chats[1], message(), **from_address("192.0.2.10")), 429)


def test_an_office_behind_one_address_can_chat() -> None:
    """200 people who write six messages a minute; a single chat gets nowhere near that."""

    def number(rate: str) -> int:
        return int(rate.partition("/")[0])

    assert number(limits.MESSAGES_PER_ADDRESS) >= 200 * 6
    assert number(limits.STARTS_PER_ADDRESS) >= 200
    assert number(limits.MESSAGES_PER_SITE) >= 5 * number(limits.MESSAGES_PER_ADDRESS)
    assert number(limits.MESSAGES_PER_SESSION) * 10 <= number(limits.MESSAGES_PER_ADDRESS)


@pytest.mark.parametrize(
    "name", [name for name in vars(limits) if name.isupper() and "PER_" in name]
)
def test_every_limit_is_lifted_for_load_tests(
    client: FlaskClient, site: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "BYTES_PER_KB":
        return
    monkeypatch.setattr(limits, name, "0/minute")
    started = start(client)
    assert send(client, started, message()).status_code == 200
    assert catch_up(client, started).status_code == 200


def test_a_token_from_before_tokens_named_their_site_still_works(
    client: FlaskClient, site: str, app: Flask
) -> None:
    started = start(client)
    signer: Signer = app.extensions["widget_signer"]
    started["token"] = signer.sign(started["session_id"])
    assert send(client, started, message()).status_code == 200
    assert len(catch_up(client, started).json["messages"]) == 4
    db.session.execute(db.delete(ChatSession))
    db.session.commit()
    assert send(client, started, message()).status_code == 404


# Threads


def test_a_slow_site_gets_its_share_and_leaves_the_rest(
    client: FlaskClient, site: str, stand: Stand, gate: Gate
) -> None:
    with transaction() as session:
        slow = session.query(Site).filter_by(key="slow").one().id
    started = start(client, "slow")
    places = [gate.enter(slow) for _ in range(4)]
    said = message("Hi")
    for headers in ({}, STREAM):
        words = refused(send(client, started, said, headers=headers), 503)
        assert words == "We're busy right now. Please try again shortly."
    assert stored() == 5 - 2 - 2  # the greeting, and nothing else
    # Another slow site, a scripted one and a health check go on.
    assert send(client, start(client, "slow-too"), message("Hi")).status_code == 200
    assert send(client, start(client), message("Ann")).status_code == 200
    assert client.get("/healthz").status_code == 200
    places[0].leave()
    assert send(client, started, said).json["messages"][0]["client_id"] == said["client_id"]


def test_scripted_turns_take_no_place(
    client: FlaskClient, site: str, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = start(client)
    send(client, started, message("Ann"))
    for _ in range(4):
        gate.enter("everybody")
    gate.enter("somebody else")
    assert send(client, started, message("Kitchen")).status_code == 200


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["json", "stream"])
def test_a_place_is_given_back_however_a_request_ends(
    client: FlaskClient, stand: Stand, gate: Gate, headers: dict[str, str]
) -> None:
    started = start(client, "slow")
    assert send(client, started, message("Hi"), headers=headers).status_code == 200
    assert gate.held == 0
    send(client, started, {"text": 5}, headers=headers)
    started["session_id"] = str(uuid.uuid4())
    send(client, started, message("Hi"), headers=headers)
    assert gate.held == 0
    assert not conversation.messages_at_once._held


def test_the_third_that_waits_is_refused_before_its_stream_begins(
    client: FlaskClient, stand: Stand, app: Flask
) -> None:
    started = start(client, "slow")
    chat_id = uuid.UUID(started["session_id"])
    stand.may_answer.clear()
    answers: list[Any] = []

    def ask(text: str) -> threading.Thread:
        thread = threading.Thread(
            target=lambda: answers.append(
                send(app.test_client(), started, message(text), headers=STREAM)
            )
        )
        thread.start()
        return thread

    requests_ = [ask("one")]
    assert stand.is_thinking.wait(60)
    for number, text in enumerate(("two", "three"), 1):
        requests_.append(ask(text))
        until_waiting(chat_id, number)
    said = message("four")
    for headers in ({}, STREAM):
        assert "earlier messages" in refused(send(client, started, said, headers=headers), 409)
    stand.may_answer.set()
    for request in requests_:
        request.join()
    assert all(read_events(answer.text)[-1][0] == "state" for answer in answers)
    assert send(client, started, said).status_code == 200
    assert waits(chat_id) == 0


def test_visitors_of_a_slow_n8n_leave_the_others_alone(
    server: str, database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over HTTP: ten chats, eight messages each at once, of an n8n that has not answered yet."""
    may_answer = threading.Event()
    with transaction() as session:
        make_site(session, key="n8n", assistant="n8n")
    with running_workflow() as workflow:
        monkeypatch.setattr(ASSISTANTS["n8n"], "url", workflow.url)
        gate = Gate(1000)
        monkeypatch.setattr(conversation, "long_requests", gate)
        monkeypatch.setattr(
            workflow, "answer", lambda _: may_answer.wait(30) and Script((BEGIN, item("Hi."), END))
        )
        statuses: list[int] = []

        def say(started: dict[str, Any]) -> None:
            headers = {"Authorization": f"Bearer {started['token']}"}
            path = f"{server}/widget/sessions/{started['session_id']}/messages"
            statuses.append(
                requests.post(path, json=message("Hi"), headers=headers, timeout=60).status_code
            )

        chats = [
            requests.post(f"{server}/widget/n8n/sessions", json={}, timeout=30).json()
            for _ in range(10)
        ]
        threads = [threading.Thread(target=say, args=(chat,)) for chat in chats for _ in range(8)]
        for thread in threads:
            thread.start()
        while len(statuses) < 50 or gate.held > 30:
            pass
        assert set(statuses) == {409}
        assert gate.held == 30
        assert requests.get(f"{server}/healthz", timeout=30).status_code == 200
        may_answer.set()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] * 30 + [409] * 50
        assert gate.held == 0
