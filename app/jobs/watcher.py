"""The worker's eyes: new rows of N8n's memory and unjudged messages, at once or every 2 seconds."""

from __future__ import annotations

import logging
import threading

import psycopg
from flask import Flask

from app.jobs.heartbeats import heartbeats
from app.jobs.limits import CATCHING_UP
from app.sync.catch_up import AUTO_SYNC, catch_up
from app.sync.trigger import CHANNEL, parse

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 2.0
#: One round of work; in between it looks whether the process is to end.
ROUND_SECONDS = 8.0
#: What is left after a round is often another process's, which is done in a moment.
BREATH_SECONDS = 0.05
ONCE_SECONDS = 600.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
PROBE_SECONDS = 10.0
CONNECT_SECONDS = 5
#: A burst of more notices than this is no help: the gaps are looked at anyway.
MOST_HINTS = 200


class Watcher:
    """Two threads: one listens, the other works. Errors are logged once, and it goes on."""

    def __init__(self, app: Flask) -> None:
        settings = app.extensions["settings"]
        outside = settings.n8n_memory_database_url
        self._app = app
        self._url = (
            outside.replace("postgresql+psycopg2://", "postgresql://", 1) or settings.listen_url
        )
        self._has_news = threading.Condition()
        self._is_woken = True
        self._hints: list[tuple[int, int]] = []
        self._is_stopping = threading.Event()
        self._troubles: dict[str, str] = {}
        self._threads = [
            threading.Thread(target=self._listen, name="listening for rows", daemon=True),
            threading.Thread(target=self._watch, name="watching", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """The round that runs is finished; a thread that waits for a database is left behind."""
        self._is_stopping.set()
        self._wake()
        self._threads[1].join(ROUND_SECONDS)

    def _watch(self) -> None:
        is_done = True
        while not self._is_stopping.is_set():
            hints = self._wait(LOOK_EVERY_SECONDS if is_done else BREATH_SECONDS)
            if self._is_stopping.is_set():
                return
            try:
                is_done = _round(self._app, hints)
                self._is_well("catching up")
            except Exception as error:
                is_done = True
                self._is_in_trouble("catching up", error)

    def _wait(self, seconds: float) -> list[tuple[int, int]]:
        with self._has_news:
            self._has_news.wait_for(lambda: self._is_woken, seconds)
            hints, self._hints, self._is_woken = self._hints, [], False
        return hints

    def _wake(self, hint: tuple[int, int] | None = None) -> None:
        with self._has_news:
            if hint is not None and len(self._hints) < MOST_HINTS:
                self._hints.append(hint)
            self._is_woken = True
            self._has_news.notify()

    def _listen(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._is_stopping.is_set():
            try:
                with psycopg.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=CONNECT_SECONDS,
                    application_name="platform-5ive watcher",
                ) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._wake()  # what came before this moment was not announced to us
                    pause = FIRST_PAUSE_SECONDS
                    self._is_well("listening for rows")
                    self._take_notices(connection)
            except Exception as error:
                self._is_in_trouble("listening for rows", error)
            self._is_stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _take_notices(self, connection: psycopg.Connection) -> None:
        while not self._is_stopping.is_set():
            for notice in connection.notifies(timeout=PROBE_SECONDS):
                found = parse(notice.payload)
                if found is not None:
                    self._wake(found[1])
            connection.execute("SELECT 1")

    def _is_in_trouble(self, what: str, error: Exception) -> None:
        kind = type(error).__name__
        if self._troubles.get(what) != kind:
            self._troubles[what] = kind
            logger.warning("%s is interrupted", what, exc_info=error)

    def _is_well(self, what: str) -> None:
        if self._troubles.pop(what, None):
            logger.info("%s works again", what)


def look_once(app: Flask, should_stop: threading.Event | None = None) -> None:
    """One whole catch-up. Errors are logged."""
    stop = should_stop or threading.Event()
    rounds = int(ONCE_SECONDS / ROUND_SECONDS)
    try:
        for _ in range(rounds):
            if _round(app, []) or stop.wait(BREATH_SECONDS):
                return
    except Exception:
        logger.exception("catching up failed")


def _round(app: Flask, hints: list[tuple[int, int]]) -> bool:
    with app.app_context(), heartbeats.running(CATCHING_UP):
        return catch_up(ROUND_SECONDS, cause=AUTO_SYNC, hints=hints)
