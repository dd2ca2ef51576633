"""`make run` replaces a child that gives no heartbeat, though it lives."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from app.cli import serve
from app.cli.serve import Child
from config import child_environment

PATIENCE_SECONDS = 120


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    children: list[Child] = []
    yield children
    for child in children:
        child.signal(signal.SIGKILL)
        child.process.wait()


def start(started: list[Child], *arguments: str) -> Child:
    child = Child(
        "worker", "tests.cli.silent", *arguments, environ=child_environment(), has_heartbeat=True
    )
    started.append(child)
    return child


def until_replaced(child: Child) -> int:
    """Keep it running until it is another process. Gives how the first one ended."""
    first = child.process
    deadline = time.monotonic() + PATIENCE_SECONDS
    while child.process is first:
        assert time.monotonic() < deadline
        child.keep_running()
        time.sleep(0.05)
    return first.wait()


def test_one_that_falls_silent_is_replaced(
    started: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "SILENT_SECONDS", 1.0)
    assert until_replaced(start(started)) == -signal.SIGKILL


def test_one_that_never_gives_a_heartbeat_is_replaced(
    started: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "START_WITHIN_SECONDS", 1.0)
    assert until_replaced(start(started, "--never")) == -signal.SIGKILL


def test_while_it_loads_it_may_be_silent(
    started: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "SILENT_SECONDS", 0.0)
    child = start(started, "--never")
    first = child.process
    for _ in range(20):
        child.keep_running()
        time.sleep(0.05)
    assert child.process is first
    assert first.poll() is None
