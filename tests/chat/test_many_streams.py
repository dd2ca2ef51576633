"""Twenty visitors who are told their answers word by word, all at the same time."""

from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select

from app.assistants.registry import ASSISTANTS
from app.core.db import db, transaction
from app.models import AssistantDay, Message, Turn
from tests.assistants.stand import Stand
from tests.factories import make_site

VISITORS = 20
WAIT_SECONDS = 30
WORDS = ("We ", "look ", "at ", "it ", "together.")


class Talkative(Stand):
    """Speaks to all at once: the first word to each, then the second to each, and so on."""

    def __init__(self) -> None:
        super().__init__(*WORDS)
        self.held_in_mid_stream: list[int] = []
        self._all_are_here = threading.Barrier(VISITORS, action=self._look, timeout=WAIT_SECONDS)
        self.before_part = self._all_are_here.wait

    def _look(self) -> None:
        self.held_in_mid_stream.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]


@pytest.fixture
def assistant(monkeypatch: pytest.MonkeyPatch) -> Talkative:
    assistant = Talkative()
    monkeypatch.setitem(ASSISTANTS, "n8n", assistant)
    return assistant


def test_many_are_told_at_once_with_no_connection_held_and_each_answer_is_stored_once(
    server: str, database: Flask, assistant: Talkative
) -> None:
    with transaction() as session:
        key = make_site(session, assistant="n8n").key
    with ThreadPoolExecutor(VISITORS) as pool:
        heard = list(pool.map(lambda _: _listen(server, key), range(VISITORS)))
    assert [deltas for _, deltas, _ in heard] == [list(WORDS)] * VISITORS
    assert {text for _, _, text in heard} == {"".join(WORDS)}
    assert len(assistant.held_in_mid_stream) == len(WORDS)
    # The keeper of leases may be at work just then; nobody who waits is.
    assert max(assistant.held_in_mid_stream) <= 1
    with transaction() as session:
        stored = session.execute(
            select(Message.session_id, func.count())
            .where(Message.role == "assistant", Message.text == "".join(WORDS))
            .group_by(Message.session_id)
        ).all()
        assert dict(map(tuple, stored)) == {uuid.UUID(chat_id): 1 for chat_id, _, _ in heard}
        assert session.scalar(select(func.count()).select_from(Turn)) == 0
        day = session.scalars(select(AssistantDay)).one()
        assert (day.turns, day.answered, day.failed) == (VISITORS, VISITORS, {})


def _listen(server: str, key: str) -> tuple[str, list[str], str]:
    """The session's id, the words as they came, and the answer as it was stored."""
    begun = requests.post(f"{server}/widget/{key}/sessions", json={}, timeout=WAIT_SECONDS).json()
    deltas, text = [], ""
    with requests.post(
        f"{server}/widget/sessions/{begun['session_id']}/messages",
        json={"client_id": str(uuid.uuid4()), "text": "Do you do kitchens?"},
        headers={"Authorization": f"Bearer {begun['token']}", "Accept": "text/event-stream"},
        stream=True,
        timeout=WAIT_SECONDS,
    ) as response:
        for event in response.content.decode().split("\n\n"):
            name, _, data = event.partition("\ndata: ")
            if name == "event: delta":
                deltas.append(json.loads(data)["text"])
            elif name == "event: message" and json.loads(data)["role"] == "assistant":
                text = json.loads(data)["text"]
    return begun["session_id"], deltas, text
