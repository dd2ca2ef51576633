"""Addresses nobody has been given: whatever is typed into one is answered, never with an error of
ours, and what is not understood is said in a sentence.
"""

from __future__ import annotations

import random
import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import clock
from app.core.db import transaction
from app.models import User
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.web.signed_in import make_user, sign_in

ASKED = 300
NAMES = (
    "q", "cursor", "from", "to", "period", "completion_status", "archive_status", "qa_status",
    "channel", "site", "has_contact", "assistant_engaged", "delivery", "destination", "status",
    "missing", "person", "about", "by", "view", "ids", "message", "limit", "next", "was", "back",
    "after", "page", "sort",
)  # fmt: skip
ODD = (
    "", " ", "0", "-1", "1e9", "99999999999999999999", "yes", "no", "all", "None", "[]", "{}",
    "web", "completed", "a\x00b", "\x00", "%", "_", "\\", "'", '"', "'; DROP TABLE --", "ü" * 900,
    "\u202e\u0000\ud7ff", "🦄", "2026-02-30", "2026-11-23", "0001-01-01", "9999-12-31", "-infinity",
    "2026-11-23T25:61", "yesterday", "today", "custom", "00000000-0000-0000-0000-000000000000",
    "not-a-uuid", ",,,", "a,b", "bmV4dCAyMDI2", "bmV4dCA5OTk5LTEyLTMxVDIzOjU5OjU5WiB4", "é" * 300,
    "https://evil.example", "//evil.example", "javascript:alert(1)", "<script>alert(1)</script>",
    "( & | ! : *", '"unfinished', "x" * 5000, "a b " * 300, "1" * 400, "020 7946 0958", "\r\nX: y",
)  # fmt: skip


@pytest.fixture
def admin(client: FlaskClient, database: Flask) -> FlaskClient:
    make_user("ann@example.com")
    sign_in(client)
    return client


def addresses(app: Flask) -> list[str]:
    """Every page that can be looked at, with a session's id where one is asked for."""
    with transaction() as session:
        site = make_site(session, key="harbour")
        chat = make_chat(session, site)
        make_message(session, chat, text="My boiler leaks")
        make_lead(session, chat)
    values = {"session_id": str(chat.id), "key": "harbour", "site_key": "harbour"}
    return sorted(
        re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], str(chat.id)), str(rule))
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and str(rule) != "/live"
    )


def test_no_address_is_too_odd(app: Flask, admin: FlaskClient) -> None:
    chance = random.Random("odd addresses")
    pages = addresses(app)
    wrong = []
    for number in range(ASKED):
        path = pages[number % len(pages)]
        asked = [(chance.choice(NAMES), chance.choice(ODD)) for _ in range(chance.randint(1, 3))]
        answer = admin.get(path, query_string=asked)
        if answer.status_code >= 500:
            wrong.append((answer.status_code, path, asked))
        elif 'href="javascript:' in answer.text or "<script>alert(1)" in answer.text:
            wrong.append(("as code", path, asked))
        elif urlsplit(answer.location or "").netloc not in ("", "localhost"):
            wrong.append(("led away", path, asked))
    assert wrong == []


def test_what_our_own_addresses_are_made_with_may_stand_in_one(
    app: Flask, admin: FlaskClient
) -> None:
    """`url_for` keeps some names for itself. An empty `site` or `channel` is tidied away."""
    with transaction() as session:
        now = clock.now()
        session.add_all(
            User(email=f"u{n}@example.com", role="agent", created_at=now) for n in range(60)
        )
    wrong = []
    for path in addresses(app):
        for name in ("endpoint", "_method", "_scheme", "_external", "_anchor", "key", "user_id"):
            answer = admin.get(path, query_string={name: "odd", "site": "", "channel": ""})
            if answer.status_code >= 500:
                wrong.append((answer.status_code, path, name))
            elif 'href="odd:' in answer.text or "odd:" in (answer.location or ""):
                wrong.append(("led away", path, name))
    assert wrong == []
