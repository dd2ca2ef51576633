"""The queued tasks: shallow, they call the layers below.

Blocking ones run in threads of the worker, each in an app context of its own (`worker`).
`timestamp` is when a periodic task was due, in Unix seconds.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

import procrastinate
from procrastinate import JobContext
from procrastinate.job_context import AbortReason

from app.core.db import transaction
from app.core.queue import ALONE
from app.delivery.outbox import DELIVER
from app.delivery.repeat import rescue
from app.delivery.send import drain
from app.jobs import accounts, answers, backtests, letters, upkeep
from app.jobs.answers import answer_waiting_turns
from app.jobs.heartbeats import heartbeats
from app.models.run import MANUAL_SYNC
from app.sync import manual
from app.upkeep import job_deaths

logger = logging.getLogger(__name__)

#: The sixth field is seconds.
EVERY_10_SECONDS = "* * * * * */10"
EVERY_NIGHT = "17 3 * * *"
#: A worker gives a sign of life this often, and is taken for dead after this long without one.
HEARTBEAT_SECONDS = 5
DEAD_AFTER_SECONDS = job_deaths.DEAD_AFTER_SECONDS
KEEP_FINISHED_JOBS_HOURS = 7 * 24


def deliver(context: JobContext, destination_key: str) -> None:
    """What may have killed a worker is sent only where nothing else runs."""
    drain(destination_key, context.should_abort, with_suspects=context.job.queue == ALONE)


def manual_sync(context: JobContext, run_id: str) -> None:
    manual.work(uuid.UUID(run_id), context.should_abort, is_job=True)


def rescue_deliveries(_context: JobContext, timestamp: int) -> None:
    with transaction() as session:
        keys = rescue(session)
    if keys:
        logger.warning("deliveries were waiting without a job", extra={"destinations": keys})


def retry_stalled_jobs(_context: JobContext, timestamp: int) -> None:
    """Jobs whose worker died: Procrastinate finds them, but does not retry them by itself."""
    job_deaths.take_over()


def remove_finished_jobs(_context: JobContext, timestamp: int) -> None:
    job_deaths.remove_finished(KEEP_FINISHED_JOBS_HOURS)


PERIODIC: tuple[tuple[Callable[..., Any], str], ...] = (
    (rescue_deliveries, EVERY_10_SECONDS),
    (answer_waiting_turns, EVERY_10_SECONDS),
    (retry_stalled_jobs, EVERY_10_SECONDS),
    (remove_finished_jobs, EVERY_NIGHT),
    *accounts.PERIODIC,
    *upkeep.PERIODIC,
    *letters.PERIODIC,
)
#: These read or write much of the database: the worker gives them a share of the connections.
LONG_JOBS = frozenset(
    {
        MANUAL_SYNC,
        *(name for _, name in (*backtests.JOBS, *upkeep.JOBS)),
        upkeep.check_every_night.__name__,
    }
)
#: They keep the others going, so they do not queue up behind them.
PERIODIC_PRIORITY = 10


def add_to(queue: procrastinate.App, *, with_periodic: bool = True) -> None:
    """Make the tasks known to a worker's queue, under the names they are deferred by.

    `with_periodic`: this worker also defers the periodic ones when they are due.
    """
    for job, name in (
        (deliver, DELIVER),
        (manual_sync, MANUAL_SYNC),
        *accounts.JOBS,
        *answers.JOBS,
        *backtests.JOBS,
        *letters.JOBS,
        *upkeep.JOBS,
    ):
        queue.task(name=name, pass_context=True)(_counting_steps(job))
    for function, cron in PERIODIC:
        task = queue.task(name=function.__name__, pass_context=True, priority=PERIODIC_PRIORITY)
        added = task(_counting_steps(function))
        if with_periodic:
            queue.periodic(cron=cron)(added)


def _counting_steps(job: Callable[..., Any]) -> Callable[..., Any]:
    """Each time it asks whether to stop, a job has done a step, and its time limit begins anew."""

    @wraps(job)
    def counting(context: JobContext, **arguments: Any) -> Any:
        def reason() -> AbortReason | None:
            heartbeats.step(context.job.id)
            return AbortReason.SHUTDOWN if heartbeats.is_stopping else context.abort_reason()

        return job(context.evolve(abort_reason=reason), **arguments)

    return counting
