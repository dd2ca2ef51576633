"""Widget sessions answered by N8n, its memory read meanwhile: no line twice, none missing."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import InstrumentedAttribute

from app.assistants.registry import ASSISTANTS
from app.chat import assistant_state
from app.chat.turn_store import store_message
from app.chat.twins import said
from app.core.db import transaction
from app.models import Message
from app.sync.memory import read_new
from config import Settings
from tests.chat.test_turn import answer_all
from tests.factories import make_site
from tests.fakes.n8n_chat import running_n8n_chat

CONVERSATIONS = 200
WORDS = ("yes", "no", "Hello", "I am at ann@example.com", "And a garden, please", "It’s fine")


def test_no_line_is_doubled_and_none_of_n8ns_is_missing(
    app: Flask, server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However often it fails here, it is asked again.
    monkeypatch.setattr(assistant_state, "FAILURES_BEFORE_REST", 1_000_000)
    with running_n8n_chat(settings.libpq_url) as n8n:
        monkeypatch.setattr(ASSISTANTS["n8n"], "url", n8n.url)
        with transaction() as session:
            key = make_site(session, assistant="n8n").key
        is_over = threading.Event()
        readers = [threading.Thread(target=_keep_reading, args=(app, is_over)) for _ in range(2)]
        for reader in readers:
            reader.start()
        with ThreadPoolExecutor(16) as pool:
            shown = dict(
                pool.map(lambda seed: _converse(app, server, key, seed), range(CONVERSATIONS))
            )
        is_over.set()
        for reader in readers:
            reader.join()
        answer_all()
        _read_all()
        assert len(shown) == CONVERSATIONS
        assert sum(map(len, n8n.only_here.values())) > CONVERSATIONS / 4
        for session_id, lines in shown.items():
            expected = Counter(map(said, [*lines, *n8n.only_here[session_id]]))
            assert Counter(map(said, _stored(session_id))) == expected, session_id
    with transaction() as session:
        wrong = session.scalar(
            text(
                "SELECT count(*) FROM chat_sessions s WHERE message_count <>"
                " (SELECT count(*) FROM messages m WHERE m.session_id = s.id)"
            )
        )
        assert wrong == 0
        assert session.scalar(text("SELECT count(*) FROM chat_sessions")) == CONVERSATIONS


def test_whoever_dies_after_n8n_has_written_the_visitor_gets_one_answer(
    app: Flask, server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_n8n_chat(settings.libpq_url) as n8n:
        monkeypatch.setattr(ASSISTANTS["n8n"], "url", n8n.url)
        with transaction() as session:
            key = make_site(session, assistant="n8n").key
        started = [_start(server, key) for _ in range(20)]
        for session_id, _, _ in started:
            _, lease = store_message(uuid.UUID(session_id), uuid.uuid4(), "Hello")
            assert lease is not None
            n8n.write(session_id, [("human", "Hello"), ("ai", f"Welcome {session_id}")])
        read_new(None, cause="auto_sync")
        assert _count(Message.source_row) == 0
        with transaction() as session:
            session.execute(text("UPDATE turns SET expires_at = now() - interval '1 minute'"))
        _read_all()
        assert answer_all() == 0
        for session_id, greetings, _ in started:
            assert _stored(session_id) == [*greetings, "Hello", f"Welcome {session_id}"]
        assert _count(Message.reply_to_id) == 20


def _converse(app: Flask, server: str, key: str, seed: int) -> tuple[str, list[str]]:
    """A short conversation through the widget's own addresses. Gives the lines it showed."""
    chance = random.Random(seed)
    session_id, lines, token = _start(server, key)
    for _ in range(chance.randint(1, 4)):
        words = chance.choice(WORDS)
        answer = _post(
            server,
            f"/widget/sessions/{session_id}/messages",
            {"client_id": str(uuid.uuid4()), "text": words},
            token,
        )
        lines += [message["text"] for message in answer["messages"]]
    return session_id, lines


def _start(server: str, key: str) -> tuple[str, list[str], str]:
    started = _post(server, f"/widget/{key}/sessions", {"page": {"url": "https://example.com/"}})
    lines = [message["text"] for message in started["messages"]]
    return started["session_id"], lines, started["token"]


def _post(server: str, path: str, body: dict[str, Any], token: str = "") -> Any:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    connection.request(
        "POST", path, json.dumps(body), headers if token else {"Content-Type": "application/json"}
    )
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert response.status in (200, 201), answer
    return answer


def _keep_reading(app: Flask, is_over: threading.Event) -> None:
    with app.app_context():
        while not is_over.wait(0.02):
            read_new(1.0, cause="auto_sync")


def _read_all() -> None:
    """To the end, with the rows that were held: they are looked at again a little later."""
    for _ in range(3):
        with transaction() as session:
            session.execute(text("UPDATE memory_gaps SET check_at = now() - interval '1 minute'"))
        read_new(None, cause="auto_sync")
        time.sleep(0.05)


def _stored(session_id: str) -> list[str]:
    with transaction() as session:
        return list(
            session.scalars(
                text("SELECT text FROM messages WHERE session_id = :id ORDER BY created_at, id"),
                {"id": session_id},
            )
        )


def _count(column: InstrumentedAttribute[int | None]) -> int:
    """How many messages have this."""
    with transaction() as session:
        return session.scalar(select(func.count(column))) or 0
