"""Gathered notices: what changed within a twentieth of a second goes out as one NOTIFY.

For the stream of messages only (docs/decisions/0002-gathered-notices.md). A process that dies
takes its last fraction of a second of notices along, never a message: a page that is open then
shows it with the next change of that session, or when it is loaded.
"""

from __future__ import annotations

import logging
import os
import threading
import time

import psycopg2
from sqlalchemy import Engine

from app.core import events
from app.core.db import call_on, db

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.05


class _Gatherer:
    """One thread per process, started with the first notice (so after gunicorn has forked)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._has_news = threading.Event()
        self._ids: dict[str, set[str]] = {}
        self._process_id = 0

    def add(self, engine: Engine, topic: events.Topic, changed_id: object) -> None:
        with self._lock:
            self._ids.setdefault(topic, set()).add(str(changed_id))
            if self._process_id != os.getpid():
                self._process_id = os.getpid()
                threading.Thread(target=self._run, args=(engine,), daemon=True).start()
        self._has_news.set()

    def _run(self, engine: Engine) -> None:
        while True:
            self._has_news.wait()
            time.sleep(GATHER_SECONDS)
            with self._lock:
                self._has_news.clear()
                gathered, self._ids = self._ids, {}
            try:
                call_on(engine, "pg_notify", events.CHANNEL, events.payload(gathered))
            except psycopg2.Error as error:
                logger.warning("notices not sent: %s", type(error).__name__)


_gatherer = _Gatherer()


def announce_soon(topic: events.Topic, changed_id: object) -> None:
    """Tell every process, within a twentieth of a second, that this committed row changed."""
    _gatherer.add(db.engine, topic, changed_id)
