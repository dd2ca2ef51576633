"""A site whose language model is played by a stand-in, for tests of what follows."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from app.assistants.registry import ASSISTANTS
from app.chat.start import start
from app.core.db import db, transaction
from app.models import (
    Incident,
    Site,
)
from tests.assistants.stand import Stand
from tests.chat.test_turn import begin, say


@pytest.fixture
def stand(database: Flask, monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand("How can we help?")
    monkeypatch.setitem(ASSISTANTS, "openai", stand)
    return stand


def chat_with(**settings: object) -> uuid.UUID:
    return begin(assistant="openai", assistant_settings=settings)


def told(chat_id: uuid.UUID, words: str) -> str:
    return say(chat_id, words).messages[-1].text


def one(model: type) -> object:
    db.session.rollback()
    found = db.session.scalars(select(model)).one()
    db.session.expunge_all()
    db.session.rollback()
    return found


def incidents() -> list[tuple[str, int]]:
    db.session.rollback()
    rows = db.session.execute(select(Incident.problem, Incident.count)).all()
    db.session.rollback()
    return [(problem, count) for problem, count in rows]


def chat_of(site_id: uuid.UUID) -> uuid.UUID:
    with transaction() as session:
        site = session.get_one(Site, site_id)
        return start(session, site, visitor_id=None, page={}, locale=None, timezone=None).session_id
