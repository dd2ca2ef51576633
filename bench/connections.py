"""What connections to the database did meanwhile, as it and as the server's pools saw it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

SAMPLE_EVERY_SECONDS = 0.1
_STATES = """
    SELECT count(*), count(*) FILTER (WHERE state = 'active'),
           count(*) FILTER (WHERE state LIKE 'idle in transaction%'),
           coalesce(max(extract(epoch FROM clock_timestamp() - xact_start))
                    FILTER (WHERE state <> 'idle'), 0)
      FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    open: int
    active: int
    in_transaction: int
    oldest_transaction_seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """A connection out of its pool; times as `time.monotonic()`."""

    taken: float
    given_back: float

    @property
    def seconds(self) -> float:
        return self.given_back - self.taken


@dataclass(slots=True)
class Connections:
    """`folder`: where `bench.apps.counted_wsgi` notes its holds."""

    folder: Path
    samples: list[Sample] = field(default_factory=list)

    def sampled(self, begin: float, end: float) -> list[Sample]:
        return [sample for sample in self.samples if begin <= sample.at <= end]

    def holds(self, begin: float, end: float) -> list[Hold]:
        """Those that touch this time."""
        lines = (line.split() for path in self.folder.iterdir() for line in path.open())
        every = (Hold(float(taken), float(given_back)) for taken, given_back in lines)
        return [hold for hold in every if hold.taken <= end and hold.given_back >= begin]


def most_at_once(holds: list[Hold]) -> int:
    changes = sorted(
        change for hold in holds for change in ((hold.taken, 1), (hold.given_back, -1))
    )
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


@contextmanager
def watched(address: str, folder: Path) -> Iterator[Connections]:
    connections = Connections(folder)
    is_over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(address, connections.samples, is_over))
    watcher.start()
    try:
        yield connections
    finally:
        is_over.set()
        watcher.join()


def _watch(address: str, samples: list[Sample], is_over: threading.Event) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        while not is_over.wait(SAMPLE_EVERY_SECONDS):
            row = connection.execute(_STATES).fetchone()
            assert row is not None
            samples.append(Sample(time.monotonic(), row[0], row[1], row[2], float(row[3])))
