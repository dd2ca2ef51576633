"""Messages whose answerer died: answered by the worker, several at once.

A language model may take half a minute for each, so they do not take up the worker's places for
jobs, which leads are sent from.
"""

from __future__ import annotations

import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, current_app
from procrastinate import JobContext

from app.chat.turn import answer_waiting, waiting

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 16

_running = threading.Lock()


def answer_waiting_turns(_context: JobContext, timestamp: int) -> None:
    """One round of this process at a time: the next one finds what this one leaves."""
    if not _running.acquire(blocking=False):
        return
    try:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        found = waiting()
        with ThreadPoolExecutor(MOST_AT_ONCE) as answerers:
            answered = sum(answerers.map(lambda each: _answer(app, each), found))
    finally:
        _running.release()
    if answered:
        logger.warning("answered turns left open", extra={"answered": answered})


def _answer(app: Flask, session_id: uuid.UUID) -> bool:
    with app.app_context():
        return answer_waiting(session_id)
