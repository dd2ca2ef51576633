"""Divide a process's database connections, so that no kind of work can take them all.

There is one pool of fixed size. Each part of the work has connections reserved for it, and takes
others only while every other part still finds its reserved ones free. Whoever gets none waits in
a bounded queue, at most as long as its share says, and then gets ShareIsFull.

The gate stands in front of SQLAlchemy's pool and admits as many callers as the pool has
connections, so the pool's own queue, which knows no parts, is never used.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from flask import g, has_app_context
from sqlalchemy import PoolProxiedConnection, QueuePool
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

Part = Literal["chats", "desk", "health"]
#: Of ten connections, chats can use up to seven and the desk up to four.
RESERVED: dict[Part, int] = {"chats": 5, "desk": 2, "health": 1}


@dataclass(frozen=True, slots=True)
class Share:
    """How one kind of work uses its part. None: no limit; `wait_seconds`: the pool's own.

    `most_per_owner`: connections one owner (a user, an API key) may hold at once. The two
    `most_waiting` say how many callers may queue; the next one is refused at once.
    """

    part: Part
    wait_seconds: float | None = None
    most_waiting: int | None = None
    most_per_owner: int | None = None
    most_waiting_per_owner: int | None = None
    statement_timeout_ms: int | None = None


#: Visitors' requests, deliveries and whatever keeps them going. Work that names no share has this.
CHATS = Share("chats")
#: What programs write with an API key: conversations and errors of workflows, which come in bursts
#: and must not be lost. One key leaves connections to visitors and to other keys.
INGEST = Share("chats", most_per_owner=2, most_waiting_per_owner=60)
#: Pages of the dashboard and the API. A click is worth two seconds of waiting, and a thread.
PAGES = Share(
    "desk",
    wait_seconds=2.0,
    most_waiting=40,
    most_per_owner=2,
    most_waiting_per_owner=20,
    statement_timeout_ms=5_000,
)
#: Long jobs of the worker, which take their turn however long that is.
LONG_JOBS = Share("desk", wait_seconds=300.0)
HEALTH = Share("health", wait_seconds=1.0, most_waiting=8, statement_timeout_ms=2_000)


class ShareIsFull(PoolTimeoutError):  # noqa: N818 - as core.errors names them
    """No connection came free in time, or too many callers were waiting already."""


@dataclass(frozen=True, slots=True)
class Use:
    """A share as one caller uses it. `owner` may be empty: then no owner's limits apply."""

    share: Share
    owner: str = ""


_DEFAULT = Use(CHATS)


def use_share(share: Share, owner: str = "") -> None:
    """Connections taken in this app context, from now on, are of this share."""
    g.connection_use = Use(share, owner)


def current_use() -> Use:
    """The use declared in this app context; threads without one serve chats."""
    use: Use = g.get("connection_use", _DEFAULT) if has_app_context() else _DEFAULT
    return use


class _Waiter:
    def __init__(self, use: Use) -> None:
        self.use = use
        self.admitted = threading.Event()


class Gate:
    """Admits at most `size` callers at once, by the rules of their shares."""

    def __init__(self, size: int) -> None:
        self._size = size
        # A connection that nobody closed is returned by the garbage collector, at any moment.
        self._lock = threading.RLock()
        self._held: Counter[Part] = Counter()
        self._held_by: Counter[tuple[Part, str]] = Counter()
        self._waiting: dict[Part, list[_Waiter]] = {part: [] for part in RESERVED}

    def enter(self, use: Use, pool_wait_seconds: float) -> None:
        """Return once a connection is this caller's. Raises ShareIsFull."""
        with self._lock:
            if self._may_enter(use):
                self._admit(use)
                return
            self._check_queue(use)
            waiter = _Waiter(use)
            self._waiting[use.share.part].append(waiter)
        wait_seconds = use.share.wait_seconds
        try:
            waiter.admitted.wait(pool_wait_seconds if wait_seconds is None else wait_seconds)
        except BaseException:
            if not self._give_up(waiter):
                self.leave(use)
            raise
        if self._give_up(waiter):
            raise ShareIsFull(f"no connection for {use.share.part} came free in time")

    def leave(self, use: Use) -> None:
        part = use.share.part
        with self._lock:
            self._held[part] -= 1
            if use.owner:
                self._held_by[part, use.owner] -= 1
                if not self._held_by[part, use.owner]:
                    del self._held_by[part, use.owner]
            self._admit_next()

    def waiting(self) -> dict[Part, int]:
        """How many callers of each part wait for a connection now."""
        with self._lock:
            return {part: len(waiters) for part, waiters in self._waiting.items()}

    def _may_enter(self, use: Use) -> bool:
        owner_most = use.share.most_per_owner
        if use.owner and owner_most and self._held_by[use.share.part, use.owner] >= owner_most:
            return False
        taken = 0
        for part, reserved in RESERVED.items():
            held = self._held[part]
            taken += held if part == use.share.part or held > reserved else reserved
        return taken < self._size

    def _admit(self, use: Use) -> None:
        self._held[use.share.part] += 1
        if use.owner:
            self._held_by[use.share.part, use.owner] += 1

    def _admit_next(self) -> None:
        """One connection came free: it is the first waiting caller's who may have it."""
        for waiters in self._waiting.values():
            for waiter in waiters:
                if self._may_enter(waiter.use):
                    waiters.remove(waiter)
                    self._admit(waiter.use)
                    waiter.admitted.set()
                    return

    def _check_queue(self, use: Use) -> None:
        share, waiters = use.share, self._waiting[use.share.part]
        if share.most_waiting is not None and len(waiters) >= share.most_waiting:
            raise ShareIsFull(f"too many callers wait for a connection for {share.part}")
        if use.owner and share.most_waiting_per_owner is not None:
            own = sum(waiter.use.owner == use.owner for waiter in waiters)
            if own >= share.most_waiting_per_owner:
                raise ShareIsFull(f"one caller waits too often for a connection for {share.part}")

    def _give_up(self, waiter: _Waiter) -> bool:
        """Leave the queue; False when the waiter was admitted meanwhile."""
        with self._lock:
            if waiter.admitted.is_set():
                return False
            self._waiting[waiter.use.share.part].remove(waiter)
            return True


def share_of(connection: PoolProxiedConnection) -> Share:
    """The share under which a connection was taken from the pool."""
    use: Use = (connection.record_info or {}).get(Use, _DEFAULT)
    return use.share


class SharedPool(QueuePool):
    """SQLAlchemy's pool behind a Gate."""

    #: It logs as the pool it is, not as a part of the app, whose INFO lines are for people.
    _sqla_logger_namespace = "sqlalchemy.pool.impl.QueuePool"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gate = Gate(self.size() + self._max_overflow)

    def connect(self) -> PoolProxiedConnection:
        use = current_use()
        self.gate.enter(use, self._timeout)
        try:
            connection = super().connect()
            record_info = connection.record_info
            assert record_info is not None, "a connection of a pool has a record"
            record_info[Use] = use
        except BaseException:
            self.gate.leave(use)
            raise
        return connection

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        # Of a connection that could not be made there is no use: `connect` has seen to it.
        use = (record.record_info or {}).pop(Use, None)
        try:
            super()._do_return_conn(record)
        finally:
            if use is not None:
                self.gate.leave(use)
