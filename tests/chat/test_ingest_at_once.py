"""Many conversations at once, and many writers."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from app.chat.ingest import Ingested, Outside, ingest
from app.core.db import transaction
from app.models import ChatSession, Message, Site
from tests.chat.outside import make_source, row
from tests.factories import make_site


@pytest.fixture
def site(session: Session) -> Site:
    return make_site(session)


@pytest.fixture
def source(session: Session) -> int:
    return make_source(session)


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

    def note(*given: Any) -> None:
        statements.append(given[2])

    event.listen(session.connection(), "before_cursor_execute", note)
    done = ingest(session, conversations, cause="auto_sync", source_id=source)
    event.remove(session.connection(), "before_cursor_execute", note)
    assert (done.sessions_created, done.messages_added, done.leads_created) == (199, 398, 199)
    assert 0 < len(statements) <= 14, statements


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
