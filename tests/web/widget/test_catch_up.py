"""A long conversation comes in pages: all of it can be read, not all of it at any pace."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.chat import messages
from app.core import clock
from app.core.db import transaction
from app.models import ChatSession, Message
from app.web.widget import limits
from tests.factories import make_message
from tests.web.widget.test_conversation import site, start, stored
from tests.web.widget.test_limits import catch_up, limited, refused

__all__ = ["limited", "site"]  # fixtures


def lengthen(started: dict[str, Any], texts: list[str]) -> None:
    with transaction() as session:
        chat = session.get_one(ChatSession, uuid.UUID(started["session_id"]))
        for text in texts:
            make_message(session, chat, text=text, created_at=clock.now())


@pytest.mark.parametrize(
    "texts",
    [
        ["short"] * (2 * messages.MOST_MESSAGES + 7),
        ["short"] * (messages.MOST_MESSAGES - 2),  # just one page
        ["x" * 4000] * 60,
        ["😀" * 4000] * 30,
        ["é" * 20_000, "a"] * 12,
        ["short"] * 150 + ["x" * 20_000] * 9 + ["short"] * 150,
    ],
    ids=["many", "one page", "long", "four bytes each", "the longest", "mixed"],
)
def test_everything_can_be_read_page_by_page(
    client: FlaskClient, site: str, texts: list[str]
) -> None:
    started = start(client)
    lengthen(started, texts)
    read: list[dict[str, Any]] = []
    while True:
        answer = catch_up(client, started, read[-1]["id"] if read else 0)
        page = answer.json
        assert len(page["messages"]) <= messages.MOST_MESSAGES
        assert answer.content_length <= 3 * messages.MOST_TEXT_BYTES + 200 * 200
        read += page["messages"]
        if "more" not in page:
            break
        assert page["more"] is True
        assert page["messages"]
    assert [one["text"] for one in read[2:]] == texts
    assert len({one["id"] for one in read}) == len(read) == stored(Message)
    assert catch_up(client, started, read[-1]["id"]).json["messages"] == []


def test_reading_is_limited_in_rate_and_in_bytes(
    client: FlaskClient, site: str, limited: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, other = start(client), start(client)
    lengthen(started, ["x" * 4000] * 30)
    monkeypatch.setattr(limits, "READINGS_PER_SESSION", "5/minute")
    statuses = [catch_up(client, started, 1).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert catch_up(client, other).status_code == 200
    monkeypatch.setattr(limits, "READINGS_PER_SESSION", "1000/minute")
    monkeypatch.setattr(limits, "READ_PER_SESSION", "1000/minute")
    sizes = []
    while (answer := catch_up(client, started)).status_code == 200:
        sizes.append(len(answer.data))
    refused(answer, 429)
    assert sum(sizes) <= 1_000_000
    assert catch_up(client, other).status_code == 200


def test_a_long_conversation_fits_into_the_limits() -> None:
    """Nearly 2,000 messages of 4,000 characters at one go."""
    per_minute = int(limits.READ_PER_SESSION.partition("/")[0]) * limits.BYTES_PER_KB
    assert per_minute >= 1900 * 4000
    pages = int(limits.READINGS_PER_SESSION.partition("/")[0])
    assert pages * messages.MOST_TEXT_BYTES >= per_minute
