"""The jobs that look after what must always hold."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from procrastinate import JobContext

from app.completion import claims, sweep
from app.core.db import transaction
from app.core.queue import defer_alone, is_known
from app.leads import partial
from app.models.run import CHECK_EVERYTHING
from app.sync import crash_guard, memory
from app.sync.catch_up import AUTO_SYNC
from app.upkeep import doctor, doctor_job
from app.upkeep.job_deaths import EVALUATE_ALONE, IMPORT_ALONE

logger = logging.getLogger(__name__)

EVERY_10_SECONDS = "* * * * * */10"
EVERY_NIGHT = "40 3 * * *"


def send_abandoned_leads(_context: JobContext, timestamp: int) -> None:
    sent = partial.send_abandoned()
    partial.forget_unwanted()
    if sent:
        logger.info("unfinished leads enqueued", extra={"leads": sent})


def evaluate_suspects(_context: JobContext, timestamp: int) -> None:
    """Sessions over whose evaluation a process died: each alone, and only once while it is known
    to kill.
    """
    for session_id in claims.suspects():
        with transaction() as session:
            if not is_known(session, EVALUATE_ALONE, {"session_id": str(session_id)}):
                defer_alone(session, EVALUATE_ALONE, {"session_id": str(session_id)})


def evaluate_alone(_context: JobContext, session_id: str) -> None:
    sweep.evaluate_alone(uuid.UUID(session_id))


def import_suspects(_context: JobContext, timestamp: int) -> None:
    """Tables of n8n's memory over whose rows a process died."""
    for source_id in crash_guard.suspects():
        with transaction() as session:
            defer_alone(session, IMPORT_ALONE, {"source_id": source_id})


def import_alone(context: JobContext, source_id: int) -> None:
    memory.read_alone(source_id, cause=AUTO_SYNC, is_stopping=context.should_abort)


def check_every_night(context: JobContext, timestamp: int) -> None:
    """Nothing is repaired by itself: a finding means that something is wrong with the product."""
    is_regular = bool(timestamp)  # not when a worker does once what is due
    if is_regular or not doctor_job.was_done_today():
        with transaction() as session:
            run_id = doctor.create(session, fix=False).id
        doctor.work(run_id, context.should_abort, is_job=True)


def check_everything(context: JobContext, run_id: str) -> None:
    doctor.work(uuid.UUID(run_id), context.should_abort, is_job=True)


JOBS: tuple[tuple[Callable[..., None], str], ...] = (
    (check_everything, CHECK_EVERYTHING),
    (evaluate_alone, EVALUATE_ALONE),
    (import_alone, IMPORT_ALONE),
)
PERIODIC: tuple[tuple[Callable[..., Any], str], ...] = (
    (send_abandoned_leads, EVERY_10_SECONDS),
    (evaluate_suspects, EVERY_10_SECONDS),
    (import_suspects, EVERY_10_SECONDS),
    (check_every_night, EVERY_NIGHT),
)
