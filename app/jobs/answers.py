"""Messages whose answerer died: answered by the worker, several at once.

A language model may take half a minute for each, so they do not take up the worker's places for
jobs, which leads are sent from.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, current_app
from procrastinate import JobContext

from app.chat.turn import answer_waiting, waiting
from app.core.db import transaction
from app.core.queue import defer_alone
from app.jobs.heartbeats import heartbeats
from app.jobs.limits import ONE_TURN
from app.upkeep.job_deaths import ANSWER_TURN

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 16

_running = threading.Lock()


def answer_turn(_context: JobContext, session_id: str) -> None:
    """A turn over which an answerer died, in a process that does nothing else."""
    if answer_waiting(uuid.UUID(session_id)):
        logger.warning("answered a turn that was broken off", extra={"session_id": session_id})


def answer_waiting_turns(_context: JobContext, timestamp: int) -> None:
    """One round of this process at a time: the next one finds what this one leaves."""
    for session_id in waiting(is_broken=True):
        _have_answered_alone(session_id)
    if not _running.acquire(blocking=False):
        return
    try:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        found = waiting(is_broken=False)
        with ThreadPoolExecutor(MOST_AT_ONCE) as answerers:
            answered = sum(answerers.map(lambda each: _answer(app, each), found))
    finally:
        _running.release()
    if answered:
        logger.warning("answered turns left open", extra={"answered": answered})


def _answer(app: Flask, session_id: uuid.UUID) -> bool:
    with app.app_context(), heartbeats.running(ONE_TURN):
        return answer_waiting(session_id)


def _have_answered_alone(session_id: uuid.UUID) -> None:
    with transaction() as session:
        defer_alone(session, ANSWER_TURN, {"session_id": str(session_id)})


JOBS: tuple[tuple[Callable[..., None], str], ...] = ((answer_turn, ANSWER_TURN),)
