"""What the pages of the review desk cost at 100,000 sessions and at 1,000,000, with ten messages
each: every filter, every common pair, every kind of search, first page and deep ones.

python -m bench.desk [SESSIONS…]

The time is the server's for the whole page, asked for in this process, without catching up. Beside
it stands how much of it the processors worked, page and database together: on a machine that does
other things as well, the rest is waiting for one's turn. Each size has a database of its own under
instance/bench, made by `flask seed` the first time.
"""

from __future__ import annotations

import logging
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from app import create_app
from app.core import embedded, garbage
from app.core.db import db, transaction
from app.core.migrations import upgrade
from app.upkeep.seed import seed
from bench.desk_pages import KINDS, Kind, addresses
from bench.servers import ROOT, SECRET_KEY
from bench.setup import EMAIL, PASSWORD, prepare_database
from config import Settings

SIZES = (100_000, 1_000_000)
#: Every address is asked for once to warm up, then so often.
ROUNDS = 5
#: The seed leaves nothing to be sent: of the newest deliveries so many wait, as on a bad day.
WAITING = 1_000
_WAIT = text("""
    UPDATE deliveries SET status = 'failed', finished_at = NULL WHERE id IN
           (SELECT id FROM deliveries ORDER BY created_at DESC, number DESC LIMIT :most)
       AND status = 'delivered' AND lead_id IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds of one kind of page; `worked`: of processors, the p95."""

    p50: float
    p95: float
    worked: float

    def __str__(self) -> str:
        return f"{self.p50:.0f} / {self.p95:.0f} / {self.worked:.0f}"


@dataclass(frozen=True, slots=True)
class Work:
    """What processors have worked for this process and, where Linux tells, for its database."""

    database: Path

    def seconds(self) -> float:
        is_told = self.database.exists()
        nanoseconds = int(self.database.read_text().split()[0]) if is_told else 0
        return time.process_time() + nanoseconds / 1e9


Times = dict[Kind, Taken]


def main(arguments: list[str]) -> int:
    logging.disable(logging.INFO)
    sizes = sorted(int(each.replace(",", "")) for each in arguments) or SIZES
    results = [_measure(size) for size in sizes]
    columns = "".join(f"{f'{size:,}':>20}" for size in sizes)
    print(f"\n{'milliseconds: p50 / p95 / p95 of work':<50}{columns}{'goal':>8}{'growth':>9}")
    missed = []
    for kind in KINDS:
        times = [result[kind] for result in results]
        shown = "".join(f"{each!s:>20}" for each in times)
        goal = f"{kind.goal_ms:.0f}" if kind.goal_ms else ""
        print(f"{kind.name:<50}{shown}{goal:>8}{times[-1].worked / times[0].worked:>8.2f}×")
        if kind.goal_ms and any(each.p95 >= kind.goal_ms for each in times):
            missed.append(kind.name)
    last = results[-1]
    worst = {
        goal: max(last[kind].p95 for kind in KINDS if kind.goal_ms == goal)
        for goal in {kind.goal_ms for kind in KINDS if kind.goal_ms}
    }
    print(
        f"{'MISSED ' + ', '.join(missed) + ': ' if missed else ''}at {sizes[-1]:,} sessions, the "
        + ", ".join(f"worst p95 of a goal of {g:.0f} ms is {ms:.0f} ms" for g, ms in worst.items())
    )
    return int(bool(missed))


def _measure(size: int) -> Times:
    times: Times = {}
    with _history(size) as app:
        app.extensions["catch_up"].is_enabled = False
        client = _signed_in(app)
        with app.app_context():
            asked = addresses()
            backend = db.session.scalar(text("SELECT pg_backend_pid()"))
            db.session.remove()
        work = Work(Path(f"/proc/{backend}/schedstat"))
        garbage.look_less_often()
        for kind in KINDS:
            times[kind] = _times(client, asked[kind], work)
            print(f"{size:>9,} {kind.name:<50}{times[kind]}", flush=True)
        with app.app_context():
            db.engine.dispose()
    load = os.getloadavg()[0]
    print(f"{size:,} sessions measured, load of the machine {load:.1f}", flush=True)
    return times


def _times(client: FlaskClient, paths: list[str], work: Work) -> Taken:
    taken, worked = [], []
    # To warm up, and because a page has its address put in order.
    tidy = [client.get(path, follow_redirects=True).request.full_path for path in paths]
    for _ in range(ROUNDS):
        for path in tidy:
            began, before = time.perf_counter(), work.seconds()
            answer = client.get(path)
            taken.append((time.perf_counter() - began) * 1000)
            worked.append((work.seconds() - before) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answers {answer.status_code}")
    return Taken(statistics.median(taken), _p95(taken), _p95(worked))


def _p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]


def _signed_in(app: Flask) -> FlaskClient:
    client = app.test_client()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert found
    form = {"csrf_token": found[1], "email": EMAIL, "password": PASSWORD}
    if client.post("/login", data=form).status_code != 302:
        raise RuntimeError("the admin of the benchmarks cannot sign in")
    return client


@contextmanager
def _history(size: int) -> Iterator[Flask]:
    """An app on a database with so many sessions."""
    server = embedded.start(ROOT / "instance" / "bench" / f"desk-{size}")
    try:
        engine = create_engine(embedded.sqlalchemy_url(server.url))
        upgrade(engine)
        engine.dispose()
        prepare_database(server.url)
        app = create_app(
            Settings.load(
                {
                    "DATABASE_URL": server.url,
                    "SECRET_KEY": SECRET_KEY,
                    "RATELIMIT_ENABLED": "false",
                }
            )
        )
        with app.app_context():
            _fill(size)
        yield app
    finally:
        server.stop()


def _fill(size: int) -> None:
    with transaction() as session:
        have = session.scalar(text("SELECT count(*) FROM chat_sessions")) or 0
    if have >= size:
        return
    print(f"making {size - have:,} sessions", flush=True)
    began = time.monotonic()
    lines = seed(size - have, random_seed=1)
    with transaction() as session:
        session.execute(_WAIT, {"most": WAITING})
    print(f"  with {lines:,} messages in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
