"""The web process that tells an answer is killed in mid-stream: the real product, two processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, create_engine, text

from app.core.embedded import sqlalchemy_url
from bench import servers
from tests.browser.chat import Chat
from tests.fakes.n8n_chat import Workflow, running_workflow
from tests.fakes.n8n_protocol import BEGIN, Script, item, streamed

LOST = "One moment, the connection was lost."
HALF = "**Kitchens** start at £12,0"
WHOLE = ("**Kitchens** start ", "at £12,000. ", "Shall I note ", "your name?")
#: The turn of a dead process becomes another's after its lease; then the answer is told anew.
TOLD_AGAIN_MS = 40_000


@pytest.fixture
def workflow() -> Iterator[Workflow]:
    with running_workflow() as workflow:
        yield workflow


@contextmanager
def product(chat_url: str) -> Iterator[tuple[str, psutil.Process, Engine]]:
    """`make run` with N8n behind the demo site: its address, its supervisor, its database."""
    port = servers.free_port()
    with servers.fresh_database() as database_url:
        env = servers.environment(database_url, port, N8N_CHAT_URL=chat_url)
        engine = create_engine(sqlalchemy_url(database_url))
        with servers.running([sys.executable, "serve.py"], env) as supervisor:
            servers.wait_until_open(port)
            with engine.begin() as connection:
                connection.execute(text("UPDATE sites SET assistant = 'n8n' WHERE key = 'demo'"))
            yield f"http://127.0.0.1:{port}", supervisor, engine
        engine.dispose()


def telling(supervisor: psutil.Process, workflow: Workflow) -> psutil.Process:
    """The web process that listens to N8n right now."""
    port = urlsplit(workflow.url).port
    [process] = [
        child
        for child in supervisor.children(recursive=True)
        if any(each.raddr and each.raddr.port == port for each in child.net_connections("tcp"))
    ]
    return process


def test_an_answer_whose_process_is_killed_is_told_again_and_stored_once(
    page: Page, workflow: Workflow
) -> None:
    workflow.then += [Script((BEGIN, item(HALF), "hang"))]
    workflow.always = Script((0.3, *_with_pauses(streamed(*WHOLE))))
    with product(workflow.url) as (address, supervisor, engine):
        page.goto(f"{address}/widget/demo")
        chat = Chat(page).greeted()
        answer = chat.log.locator(".line.me ~ .line.them .bubble")
        chat.field.fill("What does a kitchen cost?")
        chat.field.press("Enter")
        expect(answer).to_have_text(["Kitchens start at £12,0"])
        answer.evaluate("bubble => { bubble.wasHere = true; window.seen = [] }")
        chat.log.evaluate(
            """log => new MutationObserver(() => {
              const shown = log.querySelectorAll(".line.me ~ .line.them .bubble");
              window.seen.push([...shown].map((bubble) => bubble.textContent));
            }).observe(log, { subtree: true, childList: true, characterData: true })"""
        )
        process = telling(supervisor, workflow)
        assert len(process.parent().children()) == 2
        os.kill(process.pid, signal.SIGKILL)
        expect(chat.state).to_have_text([LOST])
        expect(answer).to_have_text(["Kitchens start at…"])
        expect(chat.log).to_have_attribute("aria-busy", "true")
        expect(answer).to_have_text(
            ["Kitchens start at £12,000. Shall I note your name?"], timeout=TOLD_AGAIN_MS
        )
        expect(chat.log).to_have_attribute("aria-busy", "false")
        expect(chat.state).to_have_count(0)
        # In its place, always one bubble, never an empty one.
        assert answer.evaluate("bubble => bubble.wasHere")
        seen = page.evaluate("window.seen")
        assert all(len(shown) == 1 and shown[0] for shown in seen)
        page.wait_for_timeout(6000)  # whoever else might answer has looked by then
        page.reload()
        expect(answer).to_have_text(["Kitchens start at £12,000. Shall I note your name?"])
        with engine.connect() as connection:
            stored = connection.execute(text("SELECT role, text FROM messages ORDER BY id")).all()
            assert connection.scalar(text("SELECT count(*) FROM turns")) == 0
        assert [tuple(row) for row in stored][-2:] == [
            ("visitor", "What does a kitchen cost?"),
            ("assistant", "Kitchens start at £12,000. Shall I note your name?"),
        ]
        assert [row.role for row in stored].count("visitor") == 1
        assert len(workflow.requests) == 2


def _with_pauses(script: Script) -> Iterator[bytes | float]:
    for step in script.steps:
        assert isinstance(step, bytes)
        yield step
        yield 0.2
