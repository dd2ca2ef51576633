"""Each layer alone completes every session that its inputs reach, and no other does.

`INPUTS` are the ways in which a conversation is written; `act` is everything that then happens.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.assistants.registry import ASSISTANTS
from app.chat import turn
from app.chat.ingest import Incoming, Outside, ingest
from app.chat.start import start
from app.completion import layers
from app.completion.sweep import sweep
from app.core import clock
from app.core.db import transaction
from app.models import ChatSession, Delivery, Lead, LeadEvent, SessionEvent, Site
from app.sync import manual, memory, runs
from app.sync.catch_up import catch_up
from config import Settings
from tests.chat.test_turn import Stand
from tests.completion.test_detection import CONFIRMS, DOES_NOT
from tests.completion.test_sweep import LONG
from tests.delivery.conftest import n8n
from tests.factories import make_site
from tests.sync.n8n import insert, memory_table, said

__all__ = ["n8n"]
LAYERS = ("live", "auto_sync", "sweep", "manual_sync")
#: None and blank text cannot be stored, so nobody can say them.
SAYABLE = [each for each in CONFIRMS if "\0" not in each]


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand()
    monkeypatch.setitem(ASSISTANTS, "stand", stand)
    return stand


@pytest.fixture
def site(database: Flask, stand: Stand, settings: Settings, n8n: object) -> Iterator[uuid.UUID]:
    """A site whose assistant says what a test wants, N8n's table, and one destination."""
    with transaction() as session:
        found = make_site(session, assistant="stand").id
    with memory_table():
        yield found
    layers.configure(settings.completion_layers)


def widget(site_id: uuid.UUID, stand: Stand, promises: list[str]) -> None:
    for promise in promises:
        with transaction() as session:
            site = session.get_one(Site, site_id)
            chat = start(session, site, visitor_id=None, page={}, locale=None, timezone=None)
        stand.text = promise
        for _ in turn.respond(turn.receive(chat.session_id, uuid.uuid4(), "Please call me")):
            pass


def rows(_site_id: uuid.UUID, _stand: Stand, promises: list[str]) -> None:
    with transaction() as session:
        for number, promise in enumerate(promises):
            insert(session.connection(), f"S-{number}", said("Please call me"))
            insert(session.connection(), f"S-{number}", said(promise, 1))


def posts(site_id: uuid.UUID, _stand: Stand, promises: list[str]) -> None:
    conversations = [
        Outside(
            site_id,
            "api",
            f"A-{number}",
            [Incoming("visitor", "Please call me", "1"), Incoming("assistant", promise, "2")],
        )
        for number, promise in enumerate(promises)
    ]
    with transaction() as session:
        ingest(session, conversations, cause="live")


def plain_sql(site_id: uuid.UUID, _stand: Stand, promises: list[str]) -> None:
    chat = text(
        "INSERT INTO chat_sessions (id, site_id, channel, visitor_id, started_at, archive_status,"
        " qa_status, attribution, draft)"
        " VALUES (:id, :site, 'web', 'v', :now, 'active', 'unchecked', '{}', '{}')"
    )
    line = text(
        "INSERT INTO messages (session_id, role, text, created_at) VALUES (:id, :role, :said, :now)"
    )
    with transaction() as session:
        for promise in promises:
            values = {"id": uuid.uuid4(), "site": site_id, "now": clock.now()}
            session.execute(chat, values)
            session.execute(line, {**values, "role": "visitor", "said": "Please call me"})
            session.execute(line, {**values, "role": "assistant", "said": promise})


INPUTS: dict[str, Callable[[uuid.UUID, Stand, list[str]], None]] = {
    "widget": widget,
    "rows": rows,
    "posts": posts,
    "plain_sql": plain_sql,
}


def look_again() -> None:
    with transaction() as session:
        run_id = runs.take_up(session, None)
    assert manual.work(run_id)


def act() -> None:
    """Everything that a running product does by itself, and a person's sync."""
    memory.read_new(LONG, cause="auto_sync")
    assert catch_up(LONG, cause="sweep")
    assert sweep(LONG)
    look_again()


#: Which inputs each layer reaches: the live one judges what comes in over HTTP.
REACHES = {
    "live": {"widget", "posts"},
    "auto_sync": {"rows"},
    "sweep": set(INPUTS),
    "manual_sync": set(INPUTS),
}


def outcome() -> tuple[int, list[SessionEvent], int, int, int]:
    with transaction() as session:
        done = session.scalars(
            select(ChatSession.id).where(ChatSession.completion_status == "completed")
        ).all()
        return (
            len(done),
            list(session.scalars(select(SessionEvent))),
            len(session.scalars(select(Lead.id)).all()),
            len(session.scalars(select(LeadEvent.id)).all()),
            len(session.scalars(select(Delivery.id)).all()),
        )


@pytest.mark.parametrize("written", INPUTS)
@pytest.mark.parametrize("layer", LAYERS)
def test_each_layer_alone_completes_what_its_inputs_reach(
    layer: str, written: str, site: uuid.UUID, stand: Stand
) -> None:
    layers.configure((layer,))
    INPUTS[written](site, stand, SAYABLE)
    act()
    act()
    expected = len(SAYABLE) if written in REACHES[layer] else 0
    completed, events, leads, lead_events, deliveries = outcome()
    assert completed == len(events) == leads == lead_events == deliveries == expected
    assert all(each.cause == layer and each.phrase and each.message_id for each in events)


@pytest.mark.parametrize("written", INPUTS)
def test_without_any_layer_everything_is_stored_and_nothing_completes(
    written: str, site: uuid.UUID, stand: Stand
) -> None:
    layers.configure(())
    INPUTS[written](site, stand, SAYABLE[:5])
    act()
    with transaction() as session:
        assert len(session.scalars(select(ChatSession.id)).all()) == 5
    assert outcome() == (0, [], 0, 0, 0)


@pytest.mark.parametrize("written", INPUTS)
def test_what_is_no_promise_completes_by_no_layer(
    written: str, site: uuid.UUID, stand: Stand
) -> None:
    layers.configure(LAYERS)
    INPUTS[written](site, stand, [each for each in DOES_NOT if each.strip(" \n\u200b")])
    act()
    assert outcome() == (0, [], 0, 0, 0)


@pytest.mark.parametrize("written", INPUTS)
def test_all_layers_together_complete_each_session_once(
    written: str, site: uuid.UUID, stand: Stand
) -> None:
    layers.configure(LAYERS)
    INPUTS[written](site, stand, SAYABLE)
    act()
    act()
    completed, events, leads, lead_events, deliveries = outcome()
    assert completed == len(events) == leads == lead_events == deliveries == len(SAYABLE)
