"""What a worker process tells its supervisor: that it lives, and what it has been running how long.

One JSON line a second, written by the event loop: while something holds the interpreter, or keeps
the loop from turning, none is written, and the supervisor sees it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator

EVERY_SECONDS = 1.0


class Heartbeats:
    """Of one process. `worker_id`: its row in Procrastinate's table, once it runs jobs;
    `alone_due`: how many jobs wait for a process of their own; `is_stopping`: jobs are to come to
    an end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_key = 0
        self._running: dict[int, tuple[str, float, int | None]] = {}
        self.worker_id: int | None = None
        self.alone_due = 0
        self.is_stopping = False
        self._pipe: int | None = None

    @contextlib.contextmanager
    def running(self, name: str, job_id: int | None = None) -> Iterator[None]:
        """Report that this has been running since now, for as long as the block lasts."""
        with self._lock:
            self._next_key += 1
            key = self._next_key
            self._running[key] = (name, time.monotonic(), job_id)
        try:
            yield
        finally:
            with self._lock:
                del self._running[key]

    def step(self, job_id: int | None) -> None:
        """This job has got on: its time begins anew."""
        with self._lock:
            for key, (name, _, each) in self._running.items():
                if each == job_id:
                    self._running[key] = (name, time.monotonic(), each)

    def job_ids(self) -> list[int]:
        with self._lock:
            return [job_id for _, _, job_id in self._running.values() if job_id is not None]

    def line(self) -> bytes:
        """For each name the earliest start, by the clock that all processes of a machine share."""
        oldest: dict[str, float] = {}
        with self._lock:
            for name, since, _ in self._running.values():
                oldest[name] = min(since, oldest.get(name, since))
        beat = {"worker_id": self.worker_id, "alone_due": self.alone_due, "running": oldest}
        return json.dumps(beat).encode() + b"\n"

    def works_as(self, worker_id: int | None) -> None:
        """Say at once which worker this is: it may be dead before the next beat."""
        if worker_id != self.worker_id:
            self.worker_id = worker_id
            self._beat()

    async def send(self, pipe: int) -> None:
        """Until it is cancelled."""
        self._pipe = pipe
        while True:
            self._beat()
            await asyncio.sleep(EVERY_SECONDS)

    def _beat(self) -> None:
        """A supervisor that does not read misses a beat."""
        if self._pipe is not None:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(self._pipe, self.line())


#: This process's own. A forked one begins with what its parent had: nothing.
heartbeats = Heartbeats()
