"""What tests of the page of a site's assistant share."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.assistants.registry import ASSISTANTS
from app.core.db import db, transaction
from app.models import ChatSession, Incident, Lead, Message, Site
from app.models.assistant_settings import AssistantSettings
from tests.assistants.stand import Stand
from tests.factories import make_site
from tests.web.signed_in import csrf_token

PAGE = "/sites/harbour/assistant"


@pytest.fixture
def site() -> Site:
    with transaction() as session:
        return make_site(session, key="harbour", name="Harbour")


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand("How can we help?")
    monkeypatch.setitem(ASSISTANTS, "openai", stand)
    return stand


def form_of(page: TestResponse) -> dict[str, str]:
    """The settings as a browser would send them."""
    form = re.search(r'<form class="site-form.*?</form>', page.text, re.DOTALL)
    assert form
    values = {
        name: html.unescape(value)
        for name, value in re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', form[0])
        if name != "assistant"
    }
    values |= {
        name: html.unescape(value)
        for name, value in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)<', form[0])
    }
    checked = re.search(r'name="assistant" value="(\w+)"[^>]* checked', form[0])
    chosen = re.search(r'<option value="(\w+)" selected', form[0])
    assert checked
    assert chosen
    return {**values, "assistant": checked[1], "chat_access": chosen[1]}


def save(client: FlaskClient, **values: str) -> TestResponse:
    return client.post(PAGE, data={**form_of(client.get(PAGE)), **values})


def ai() -> AssistantSettings:
    db.session.rollback()
    stored = db.session.scalar(select(Site.assistant_settings))
    db.session.rollback()
    return AssistantSettings.from_json(stored or {})


def ask(client: FlaskClient, *words: str, **settings: str) -> TestResponse:
    """A trial: `words` are visitor and assistant in turn."""
    page = client.get(PAGE)
    lines = [
        {"role": ("visitor", "assistant")[number % 2], "text": text}
        for number, text in enumerate(words)
    ]
    return send(client, csrf_token(page), {**form_of(page), **settings}, lines)


def send(
    client: FlaskClient, token: str, settings: Any, lines: Any, draft: Any = None, **more: Any
) -> TestResponse:
    body = {"settings": settings, "lines": lines, "draft": draft or {}, **more}
    return client.post(f"{PAGE}/trials", json=body, headers={"X-CSRFToken": token})


def told(answer: TestResponse) -> dict[str, Any]:
    """What the browser is to remember."""
    found = re.search(r'data-tried="([^"]*)"', answer.text)
    assert found, answer.text
    remembered: dict[str, Any] = json.loads(html.unescape(found[1]))
    return remembered


def rows() -> list[int]:
    db.session.rollback()
    models = (ChatSession, Message, Lead, Incident)
    counts = [db.session.scalar(select(func.count()).select_from(model)) or 0 for model in models]
    db.session.rollback()
    return counts
