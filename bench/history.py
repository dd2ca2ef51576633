"""What the layers cost as history grows: the same at 100,000 sessions and at 1,000,000.

python -m bench.history [SESSIONS…]

Each size has a database of its own under instance/bench, made by `flask seed` the first time.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import create_engine, text

from app import create_app
from app.completion.sweep import sweep
from app.core import embedded
from app.core.db import db, transaction
from app.core.migrations import upgrade
from app.sync import memory, sources
from app.sync.manual_judging import FIRST, judge_chunk
from app.upkeep.seed import seed
from bench import hook_cost
from bench.servers import ROOT, SECRET_KEY, use_two_cores
from bench.setup import prepare_database
from config import Settings

SIZES = (100_000, 1_000_000)
REREAD_ROWS = 100_000
NEW_ROWS = 30_000
LINES_EACH = 6
BATCH_ROWS = 1_000
JUDGED_CHUNKS = 20
LOOKS = 200
#: May grow by so much from the smaller history to the larger, caches and noise included.
FLAT_WITHIN = 2.0
#: Milliseconds; differences of less are the machine's noise.
NOTHING = 1.0


@dataclass(frozen=True, slots=True)
class Measure:
    """`goal`: at most (a cost), or at least (a rate, `is_rate`); None: for context."""

    name: str
    unit: str
    goal: float | None = None
    is_rate: bool = False

    def is_met(self, value: float) -> bool:
        if self.goal is None:
            return True
        return value >= self.goal if self.is_rate else value <= self.goal

    def growth(self, first: float, last: float) -> float:
        """How many times as dear it has become. What costs nothing does not grow."""
        before, after = (last, first) if self.is_rate else (first, last)
        return max(after, NOTHING) / max(before, NOTHING)


SWEEP = Measure("sweep with nothing to do", "ms", 5)
READ = Measure("auto-sync with nothing to do", "ms")
HOOK = Measure("hook, added to a request (median)", "ms", 2)
HOOK_EACH = Measure("hook, when it is its turn to look (median)", "ms")
REREAD = Measure("manual sync, rows read again", "rows/s", 10_000, is_rate=True)
IMPORT = Measure("rows imported for the first time", "rows/s", is_rate=True)
JUDGE = Measure("manual sync, open sessions judged", "sessions/s", is_rate=True)
PAGE = Measure("page of the session list (median)", "ms")
MEASURES = (SWEEP, READ, HOOK, HOOK_EACH, REREAD, IMPORT, JUDGE, PAGE)
#: These must not grow with history.
FLAT = (SWEEP, HOOK, REREAD)


def main(arguments: list[str]) -> int:
    use_two_cores()
    logging.disable(logging.INFO)
    sizes = sorted(int(each.replace(",", "")) for each in arguments) or SIZES
    results = [_measure(size) for size in sizes]
    print(f"\n{'sessions':<44}" + "".join(f"{size:>14,}" for size in sizes) + f"{'growth':>9}")
    missed = []
    for measure in MEASURES:
        values = [result[measure] for result in results]
        growth = measure.growth(values[0], values[-1])
        shown = "".join(f"{_number(value):>14}" for value in values)
        print(f"{measure.name + ', ' + measure.unit:<44}{shown}{growth:>8.2f}×")
        if not all(map(measure.is_met, values)) or (measure in FLAT and growth > FLAT_WITHIN):
            missed.append(measure.name)
    last = results[-1]
    print(
        f"{'MISSED ' + ', '.join(missed) + ': ' if missed else ''}"
        f"at {sizes[-1]:,} sessions: sweep {last[SWEEP]:.2f} ms, hook {last[HOOK]:.2f} ms, "
        f"{last[REREAD]:,.0f} rows/s read again, {last[IMPORT]:,.0f} rows/s imported"
    )
    return int(bool(missed))


def _number(value: float) -> str:
    return f"{value:,.2f}" if value < 1_000 else f"{value:,.0f}"


def _measure(size: int) -> dict[Measure, float]:
    with _history(size) as app:
        with app.app_context():
            values = _idle()
        cost = hook_cost.measure(app)
        values |= {HOOK: cost.added_ms, HOOK_EACH: cost.added_when_due_ms, PAGE: cost.page_ms}
        with app.app_context():
            values |= {REREAD: _reread(), JUDGE: _judge(), IMPORT: _import()}
            db.engine.dispose()
    print(f"{size:>9,} sessions: " + ", ".join(map(_number, values.values())), flush=True)
    return values


def _idle() -> dict[Measure, float]:
    """What looking costs when there is nothing to do."""
    memory.read_new(None, cause="auto_sync")
    while not _is_swept():
        pass
    return {
        SWEEP: _median_ms(_is_swept),
        READ: _median_ms(lambda: memory.read_new(None, cause="auto_sync")),
    }


@contextmanager
def _history(size: int) -> Iterator[Flask]:
    """An app on a database with so many sessions."""
    server = embedded.start(ROOT / "instance" / "bench" / str(size))
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
    if have < size:
        print(f"making {size - have:,} sessions", flush=True)
        began = time.monotonic()
        lines = seed(size - have, random_seed=1, memory_rows=True)
        print(f"  with {lines:,} messages in {time.monotonic() - began:.0f} s", flush=True)


def _is_swept() -> bool:
    return sweep(1.0, 1_000)


def _median_ms(what: Callable[[], object]) -> float:
    seconds = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        what()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000


def _source_id() -> int:
    with transaction() as session:
        return sources.current(session)[0].id


def _reread() -> float:
    source_id, after, read = _source_id(), 0, 0
    began = time.perf_counter()
    while read < REREAD_ROWS:
        report, last = memory.read_batch(source_id, after, BATCH_ROWS, "manual_sync")
        if last is None:
            break
        read, after = read + report.rows_read, last
    return read / (time.perf_counter() - began)


def _judge() -> float:
    after, judged = FIRST, 0
    began = time.perf_counter()
    for _ in range(JUDGED_CHUNKS):
        with transaction() as session:
            chunk = judge_chunk(session, after)
        if chunk.through is None:
            break
        after, judged = chunk.through, judged + chunk.sessions
    return judged / (time.perf_counter() - began)


_NEW = text("""
    INSERT INTO n8n_chat_histories (session_id, message)
    SELECT 'bench-' || :run || '-' || g / :each,
           jsonb_build_object('type', CASE g % 2 WHEN 0 THEN 'human' ELSE 'ai' END, 'content',
             CASE WHEN g % (:each * 5) = :each * 5 - 1
                  THEN 'Thank you! We will contact you within 24 hours.'
                  ELSE 'Line number ' || g END,
             'additional_kwargs', '{}'::jsonb, 'response_metadata', '{}'::jsonb)
      FROM generate_series(0, :rows - 1) g ORDER BY g
""")


def _import() -> float:
    with transaction() as session:
        session.execute(_NEW, {"run": time.time_ns(), "each": LINES_EACH, "rows": NEW_ROWS})
    began = time.perf_counter()
    report = memory.read_new(None, cause="auto_sync")
    seconds = time.perf_counter() - began
    if report.rows_read != NEW_ROWS or report.completions_found != NEW_ROWS // LINES_EACH // 5:
        raise RuntimeError(f"not everything was imported: {report}")
    return report.rows_read / seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
