"""While people are chatting, the doctor finds nothing wrong."""

from __future__ import annotations

import contextvars
import threading
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.chat import turn
from app.chat.start import start
from app.completion import layers
from app.completion.judge import judge
from app.core.db import db, transaction
from app.delivery.send import drain
from app.models import ChatSession, Message
from tests.factories import make_site
from tests.fakes.n8n import N8n
from tests.upkeep.by_hand import found

SAYINGS = ("Hi, I am Ann Lee", "Kitchen", "ann@example.com", "no thanks", "Thank you!")


@pytest.mark.parametrize("active", ["live", "sweep"])
def test_a_busy_database_is_well(
    database: Flask, n8n: N8n, monkeypatch: pytest.MonkeyPatch, active: str
) -> None:
    monkeypatch.setattr(layers, "_active", frozenset({active}))
    with transaction() as session:
        site = make_site(session)
    is_over = threading.Event()
    failures: list[BaseException] = []

    def talk_on() -> None:
        while not is_over.is_set():
            with transaction() as session:
                begun = start(session, site, visitor_id=None, page={}, locale=None, timezone=None)
            for saying in SAYINGS:
                for _ in turn.respond(turn.receive(begun.session_id, uuid.uuid4(), saying)):
                    pass

    def deliver() -> None:
        while not is_over.is_set():
            with transaction() as session:
                unchecked = select(Message.session_id).where(~Message.is_checked).distinct()
                judge(session, session.scalars(unchecked).all(), "sweep")
            drain("n8n")

    def in_thread(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                with database.app_context():
                    work()
            except BaseException as error:
                failures.append(error)
                raise

        thread = threading.Thread(target=contextvars.Context().run, args=(run,))
        thread.start()
        return thread

    threads = [in_thread(work) for work in (talk_on, talk_on, talk_on, talk_on, deliver)]
    reports = [found() for _ in range(25)]
    is_over.set()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [report for report in reports if report] == []
    db.session.rollback()
    completed = select(func.count()).where(ChatSession.completion_status == "completed")
    assert (db.session.scalar(completed) or 0) > 3
