"""Admission control: keep requests that wait for somebody else from taking every thread.

A gate has a fixed number of places. An owner (a site) may hold at most `SHARE` times as many as
are still free, the dynamic threshold of shared switch buffers (Choudhury and Hahne, 1998): an owner
that is alone gets nearly all of them, two busy owners get the same, and some are always free for
the next one.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable
from types import TracebackType
from typing import Self

from app.core.errors import Busy, Conflict

#: Threads of one web process. A waiting thread costs about 0.1 MB and no database connection.
THREADS = 456
#: How many of them may be held by requests that wait for an assistant. Live streams hold up to
#: `live.MOST_READERS` more; what is left over serves health checks, pages and short requests.
LONG_REQUESTS = 360
#: One owner alone gets 4/5 of the places; each of two gets 4/9, and a ninth stays free.
SHARE = 4
RETRY_AFTER_SECONDS = 5


class Place:
    """One place, held until `leave`, which may be called any number of times."""

    def __init__(self, gate: Gate | OwnerLimit, owner: Hashable) -> None:
        self._gate, self._owner = gate, owner
        self._is_held = True

    def leave(self) -> None:
        is_held, self._is_held = self._is_held, False
        if is_held:
            self._gate.release(self._owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()


class Gate:
    """Counted per process: it is the threads of this process that run out."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._lock = threading.Lock()
        self._held: Counter[Hashable] = Counter()
        self._total = 0

    @property
    def held(self) -> int:
        return self._total

    def enter(self, owner: Hashable) -> Place:
        """Take a place. Raises Busy at once when none is free, or the owner holds its share."""
        with self._lock:
            if self._held[owner] >= SHARE * (self.places - self._total):
                raise Busy("We're busy right now. Please try again shortly.", RETRY_AFTER_SECONDS)
            self._held[owner] += 1
            self._total += 1
        return Place(self, owner)

    def release(self, owner: Hashable) -> None:
        with self._lock:
            self._total -= 1
            self._held[owner] -= 1
            if not self._held[owner]:
                del self._held[owner]


class OwnerLimit:
    """At most `most` requests of one owner at once in this process, however many owners."""

    def __init__(self, most: int, refusal: Conflict) -> None:
        self._most, self._refusal = most, refusal
        self._lock = threading.Lock()
        self._held: Counter[Hashable] = Counter()

    def enter(self, owner: Hashable) -> Place:
        """Raises the refusal at once when the owner has that many already."""
        with self._lock:
            if self._held[owner] >= self._most:
                raise Conflict(self._refusal.detail, self._refusal.retry_after_seconds)
            self._held[owner] += 1
        return Place(self, owner)

    def release(self, owner: Hashable) -> None:
        with self._lock:
            self._held[owner] -= 1
            if not self._held[owner]:
                del self._held[owner]


#: Requests of this process that wait for an assistant.
long_requests = Gate(LONG_REQUESTS)
