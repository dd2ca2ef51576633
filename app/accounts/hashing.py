"""Bound what password hashes may cost this process: one takes 32 MB and about 0.1 s of processor
time, and anybody may ask for one by trying to sign in.

Tries to sign in pass a lane. It computes one hash at a time, lets few tries inside, so that they
hold few threads, and has a budget of processor time, so that they leave the processor to visitors.
Whoever does not get in is refused at once and writes nothing. Trusted clients (`limits`) have a
lane of their own: while strangers use up theirs, owners still sign in from browsers they have used
before. New passwords are hashed one at a time as well.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from app.core.errors import TooMany

#: Tries inside a lane at once, each of which holds a thread and waits for at most so many hashes.
MOST_INSIDE = 8
#: What a lane may use of one processor in the long run, and in a burst: some 50 tries.
SHARE = 0.15
BURST_SECONDS = 5.0
BUSY = "Too many people are signing in at the moment. Please try again in {seconds}."

#: To be held while a new password is hashed.
slot_of_new_passwords = threading.Lock()


class Lane:
    """Admits tries to sign in, by number and by the processor time they used before. `slot` is to
    be held while a hash is computed.

    `clock` gives seconds that only grow; `thread_clock` the processor time of this thread.
    """

    def __init__(
        self,
        *,
        has_budget: bool = True,
        clock: Callable[[], float] = time.monotonic,
        thread_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock, self._thread_clock = clock, thread_clock
        self.slot, self._lock = threading.Lock(), threading.Lock()
        self._inside = 0
        self._budget_seconds, self._filled_at = BURST_SECONDS, clock()
        self._has_budget = has_budget

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Raises TooMany, at once, when the lane is full or has used up its budget."""
        self._admit()
        began = self._thread_clock()
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                self._budget_seconds -= self._thread_clock() - began

    def _admit(self) -> None:
        with self._lock:
            now = self._clock()
            refilled = self._budget_seconds + (now - self._filled_at) * SHARE
            self._budget_seconds, self._filled_at = min(BURST_SECONDS, refilled), now
            if self._has_budget and self._budget_seconds <= 0:
                _refuse(1 + math.ceil(-self._budget_seconds / SHARE))
            if self._inside >= MOST_INSIDE:
                _refuse(1)
            self._inside += 1


def _refuse(seconds: int) -> None:
    text = "a second" if seconds == 1 else f"{seconds} seconds"
    raise TooMany(BUSY.format(seconds=text), seconds)


class Lanes(NamedTuple):
    """The lanes of an application in this process."""

    strangers: Lane
    trusted: Lane


def lanes(*, has_budget: bool) -> Lanes:
    """Load tests go without a budget; the other bounds always hold."""
    return Lanes(Lane(has_budget=has_budget), Lane(has_budget=has_budget))
