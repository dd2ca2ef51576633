"""Deliveries in real time: the first three retries, and workers killed in mid-delivery.

`python -m tests.proof.delivery_real_time [kills]`: about five minutes for the four kills it makes
by default. Uses a database of its own and real `flask worker` processes; writes what it saw.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg

from app import create_app, delivery
from app.core import embedded
from app.core.db import db
from app.core.migrations import upgrade
from config import ROOT, Settings
from tests.delivery.conftest import SECRET, Outbox
from tests.fakes.n8n import N8n, running_n8n

RETRIES_SECONDS = (5, 30, 120)
#: A job that falls due is noticed within a second; the rest is for a busy machine.
SLACK_SECONDS = 3


def main(kills: int) -> None:
    with tempfile.TemporaryDirectory() as folder, _database() as url, running_n8n(SECRET) as n8n:
        settings = Settings.load(_environment(url, n8n), instance_path=Path(folder))
        app = create_app(settings)
        with app.app_context():
            upgrade(db.engine)
            delivery.configure(replace(settings, n8n_lead_webhook_url=n8n.url))
            first_three_retries(n8n, url)
            killed_workers(n8n, url, kills)
            db.engine.dispose()
    print("All as promised.")


def first_three_retries(n8n: N8n, url: str) -> None:
    outbox = Outbox()
    n8n.behave(500, "close", 503)
    lead = outbox.enqueue()
    with _worker(n8n, url):
        n8n.wait_for(4, within_seconds=200)
        _until(lambda: outbox.state(lead).status == "delivered", 10)
    times = [request.at for request in n8n.received]
    for planned, begun, next_try in zip(RETRIES_SECONDS, times, times[1:], strict=False):
        waited = (next_try - begun).total_seconds()
        print(f"retry after {planned} s: came after {waited:.1f} s", flush=True)
        assert planned * 0.9 <= waited <= planned * 1.1 + SLACK_SECONDS
    assert n8n.ids == [str(lead)] * 4
    assert all(request.is_verified for request in n8n.received)
    print(f"attempts: {outbox.errors(lead)}", flush=True)
    assert outbox.errors(lead) == ["status", "closed", "status", None]


def killed_workers(n8n: N8n, url: str, kills: int) -> None:
    """Each time a worker is killed while N8n has the request; another one is started."""
    outbox = Outbox()
    waits = []
    for number in range(1, kills + 1):
        before = len(n8n.received)
        n8n.behave("hang")
        lead = outbox.enqueue()
        with _worker(n8n, url) as worker:
            n8n.wait_for(before + 1, within_seconds=90)
            worker.kill()
            killed_at = time.monotonic()
        with _worker(n8n, url):
            n8n.wait_for(before + 2, within_seconds=60)
            waits.append(time.monotonic() - killed_at)
            _until(lambda lead=lead: outbox.state(lead).status == "delivered", 10)
        print(f"kill {number}: sent again {waits[-1]:.1f} s later", flush=True)
        assert n8n.ids[before:] == [str(lead)] * 2
        assert outbox.errors(lead) == ["interrupted", None]
    print(f"{kills} kills, none lost; longest wait {max(waits):.1f} s", flush=True)
    assert max(waits) < 60
    n8n.release()


@contextlib.contextmanager
def _worker(n8n: N8n, url: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "flask", "--app", "app", "worker"]
    environment = os.environ | _environment(url, n8n)
    worker = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    yield worker
    with contextlib.suppress(ProcessLookupError):
        worker.terminate()
    worker.wait(30)


def _environment(url: str, n8n: N8n) -> dict[str, str]:
    return {
        "APP_ENV": "development",
        "DATABASE_URL": url,
        "SECRET_KEY": "a-secret-for-the-proof-that-is-long-enough",
        "N8N_LEAD_WEBHOOK_URL": n8n.url,
        "N8N_WEBHOOK_SECRET": SECRET,
    }


@contextlib.contextmanager
def _database() -> Iterator[str]:
    """The address of a new database on an embedded server, dropped afterwards."""
    server = embedded.start(ROOT / "instance" / "proof")
    name = f"proof_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.url.replace("/postgres?", f"/{name}?", 1)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.stop()


def _until(is_so: Callable[[], bool], within_seconds: float) -> None:
    deadline = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
