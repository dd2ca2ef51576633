"""Layer 3 before a request: catch up, shortly, so that a page is right with every worker dead.

At most once a second over all processes, and a request waits at most 50 ms for it. It is done in a
thread of its own, because nothing else ends the wait for a database that does not answer.
"""

from __future__ import annotations

import logging
import os
import threading
import time

from flask import Flask, Response, current_app, request
from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from app.core.db import call, db, transaction
from app.sync.catch_up import SWEEP, catch_up

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
MOST_SECONDS = 0.05
BLUEPRINTS = ("dashboard", "api", "qa")
NOT_BEFORE = ("dashboard.live",)
HEADER = "Catching-Up"
#: What the thread itself may at most take for one statement.
_LIMITS = "SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '500ms'"
_NOTE = text("UPDATE catch_up SET is_behind = :is_behind WHERE id = 1")


class CatchUpHook:
    """One for each application of a process. `is_behind`: work was left, as far as we know."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._ask_at = 0.0
        self._running: threading.Event | None = None
        self._process_id = 0
        self.is_enabled = True
        self.is_behind = False

    def before_request(self) -> None:
        """Never makes a request fail, and holds no connection while it waits."""
        if not self.is_enabled or request.blueprint not in BLUEPRINTS:
            return
        if request.endpoint in NOT_BEFORE or time.monotonic() < self._ask_at:
            return
        try:
            self._catch_up()
        except RuntimeError:  # no thread can be started
            logger.exception("catching up before a request failed")

    def after_request(self, response: Response) -> Response:
        if self.is_behind and request.blueprint == "api":
            response.headers[HEADER] = "true"
        return response

    def _catch_up(self) -> None:
        with self._lock:
            now = time.monotonic()
            if now < self._ask_at:
                return
            self._ask_at = now + EVERY_SECONDS
            if self._process_id != os.getpid():  # threads do not survive a fork
                self._process_id, self._running = os.getpid(), None
            if self._running is not None and not self._running.is_set():
                self.is_behind = True
                return
            done = self._running = threading.Event()
        thread = threading.Thread(
            target=self._run, args=(done, now + MOST_SECONDS), name="catching up", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            done.set()
            raise
        if not done.wait(MOST_SECONDS):
            self.is_behind = True

    def _run(self, done: threading.Event, deadline: float) -> None:
        try:
            with self._app.app_context():
                event.listen(db.session(), "after_begin", _limit)
                self.is_behind = self._work(deadline)
        except Exception:
            logger.exception("catching up before a request failed")
        finally:
            done.set()

    def _work(self, deadline: float) -> bool:
        claimed = call("claim_catch_up", EVERY_SECONDS) or (False, False, EVERY_SECONDS)
        is_ours, was_behind, wait_seconds = claimed
        if not is_ours:
            # Another process has just done it; the next second may be this one's.
            self._ask_at = time.monotonic() + wait_seconds
            return bool(was_behind)
        is_behind = True
        try:
            is_behind = not catch_up(max(0.0, deadline - time.monotonic()), cause=SWEEP)
        finally:
            if is_behind != was_behind:
                with transaction() as session:
                    session.execute(_NOTE, {"is_behind": is_behind})
        return is_behind


def register(app: Flask) -> None:
    """Must come before whatever reads from the database for a request."""
    hook = app.extensions["catch_up"] = CatchUpHook(app)
    app.before_request(hook.before_request)
    app.after_request(hook.after_request)


def is_behind() -> bool:
    """Whether the page should say that more is on its way."""
    hook: CatchUpHook = current_app.extensions["catch_up"]
    return hook.is_behind


def _limit(_session: Session, _transaction: object, connection: Connection) -> None:
    connection.exec_driver_sql(_LIMITS)
