"""Asking the database in which N8n's chat memory is: our own, or another one, within a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.sync import sources
from app.sync.failures import SourceFailed, TooSlow, failure

T = TypeVar("T")
#: What a question may take when the asker has time. libpq waits no shorter than 2 s to connect.
LONGEST_SECONDS = 30.0
CONNECT_SECONDS = 2
#: With less time than this, an answer that does not come says nothing about the database.
SHORT_SECONDS = 3.0
#: After one of those, whoever is in a hurry leaves the other database alone for so long.
PAUSE_SECONDS = 30.0
#: In our own database the limits of a question must not outlive it.
_CALM = "; ".join(
    f"SET LOCAL {name} TO DEFAULT"
    for name in ("statement_timeout", "lock_timeout", "enable_seqscan")
)


def ask(session: Session, question: Callable[[Connection, int], T], seconds: float | None) -> T:
    """What `question(connection, milliseconds)` finds out in the memory's database.
    `seconds`: as long as the asker can wait.

    Raises SourceFailed, or TooSlow when a short time was not enough; the transaction is over then.
    """
    limit = LONGEST_SECONDS if seconds is None else max(0.005, min(seconds, LONGEST_SECONDS))
    url = sources.outside_url()
    if url:
        return _Outside.at(url).ask(question, limit)
    connection = session.connection()
    try:
        answer = question(connection, int(limit * 1000))
        connection.exec_driver_sql(_CALM)
    except SQLAlchemyError as error:
        raise failure(error, is_hurried=limit < SHORT_SECONDS) from error
    return answer


def engine() -> Engine | None:
    """The other database's own small pool; None when the memory is in ours."""
    url = sources.outside_url()
    return _Outside.at(url).engine if url else None


class _Outside:
    """Another database. It is asked in a thread: nothing else ends a wait for a dead network."""

    _known: _Outside | None = None

    def __init__(self, url: str) -> None:
        self.url, self.process_id = url, os.getpid()
        self.engine = create_engine(
            url,
            pool_size=2,
            max_overflow=0,
            pool_timeout=CONNECT_SECONDS,
            pool_pre_ping=True,
            pool_recycle=300,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "client_encoding": "utf8",
                "application_name": "platform-5ive memory",
                "keepalives_idle": 10,
                "tcp_user_timeout": 10_000,
            },
        )
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="memory")
        self._pending: Future[object] | None = None
        self._paused_until = 0.0

    @classmethod
    def at(cls, url: str) -> _Outside:
        """The one of this process: neither connections nor threads survive a fork."""
        known = cls._known
        if known is None or known.url != url or known.process_id != os.getpid():
            known = cls._known = cls(url)
        return known

    def ask(self, question: Callable[[Connection, int], T], limit: float) -> T:
        is_hurried = limit < SHORT_SECONDS
        if is_hurried and time.monotonic() < self._paused_until:
            raise TooSlow
        if self._pending is not None and not self._pending.done() and is_hurried:
            raise TooSlow
        future = self._threads.submit(self._answer, question, int(limit * 1000))
        try:
            return future.result(limit if is_hurried else limit + 2 * CONNECT_SECONDS)
        except NotInTime:
            self._pending = future  # type: ignore[assignment]
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            if is_hurried:
                raise TooSlow from None
            raise SourceFailed("The database does not answer.") from None
        except (SQLAlchemyError, UnicodeDecodeError) as error:
            raise failure(error, is_hurried=is_hurried) from error

    def _answer(self, question: Callable[[Connection, int], T], milliseconds: int) -> T:
        with self.engine.connect() as connection:
            return question(connection, milliseconds)
