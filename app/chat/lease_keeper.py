"""Signs of life for the turns this process is answering.

A lease is short, so that the turn of a dead process is answered by another within seconds; an
assistant may take much longer. One thread per process renews the leases of all its turns.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg2
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.chat import turn_store
from app.core import clock
from app.core.db import call_on, db

logger = logging.getLogger(__name__)

KEEP_EVERY_SECONDS = 2.5


class _Keeper:
    """Its thread is started with the first turn, so after gunicorn has forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_needed = threading.Event()
        self._since: dict[uuid.UUID, float] = {}
        self._process_id = 0

    def add(self, engine: Engine, token: uuid.UUID) -> None:
        with self._lock:
            if self._process_id != os.getpid():
                self._process_id = os.getpid()
                self._since.clear()
                threading.Thread(target=self._run, args=(engine,), daemon=True).start()
            self._since[token] = time.monotonic()
        self._is_needed.set()

    def remove(self, token: uuid.UUID) -> None:
        with self._lock:
            self._since.pop(token, None)
            if not self._since:
                self._is_needed.clear()

    def release(self, engine: Engine) -> None:
        with self._lock:
            tokens = [] if self._process_id != os.getpid() else list(map(str, self._since))
            self._since.clear()
        if tokens:
            call_on(engine, "release_turns", tokens, clock.now())

    def _run(self, engine: Engine) -> None:
        while True:
            self._is_needed.wait()
            time.sleep(KEEP_EVERY_SECONDS)
            # Most turns are over before they need a sign of life.
            begun_before = time.monotonic() - KEEP_EVERY_SECONDS / 2
            with self._lock:
                tokens = [str(each) for each, at in self._since.items() if at < begun_before]
            if tokens:
                self._renew(engine, tokens)

    def _renew(self, engine: Engine, tokens: list[str]) -> None:
        until = clock.now() + timedelta(seconds=turn_store.LEASE_SECONDS)
        try:
            call_on(engine, "keep_turns", tokens, until)
        except (psycopg2.Error, SQLAlchemyError) as error:
            # Without it another process may answer, too: of two answers one is stored.
            logger.warning("turns not kept: %s", type(error).__name__)


_keeper = _Keeper()


@contextmanager
def kept(token: uuid.UUID) -> Iterator[None]:
    """While this lasts, and the process lives, the turn of this token stays its answerer's."""
    _keeper.add(db.engine, token)
    try:
        yield
    finally:
        _keeper.remove(token)


def release_all(engine: Engine) -> None:
    """Give back every turn of this process, which is about to end: they are due at once, and no
    lease of theirs was broken. An answer that still comes is dropped.
    """
    try:
        _keeper.release(engine)
    except (psycopg2.Error, SQLAlchemyError) as error:
        logger.warning("turns not given back: %s", type(error).__name__)
