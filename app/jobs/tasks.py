"""The queued tasks: shallow, they call the floors below.

Blocking ones run in threads of the worker, each in an app context of its own (`worker`).
`timestamp` is when a periodic task was due, in Unix seconds.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

import procrastinate
from procrastinate import JobContext

from app.core.db import transaction
from app.delivery.outbox import DELIVER
from app.delivery.repeat import rescue
from app.delivery.send import drain
from app.jobs import accounts, backtests, letters, upkeep
from app.jobs.answers import answer_waiting_turns
from app.sync import manual
from app.sync.runs import MANUAL_SYNC

logger = logging.getLogger(__name__)

#: The sixth field is seconds.
EVERY_10_SECONDS = "* * * * * */10"
EVERY_NIGHT = "17 3 * * *"
#: A worker gives a sign of life this often, and is taken for dead after this long without one.
HEARTBEAT_SECONDS = 5
DEAD_AFTER_SECONDS = 15
KEEP_FINISHED_JOBS_HOURS = 7 * 24


def deliver(context: JobContext, destination_key: str) -> None:
    drain(destination_key, context.should_abort)


def manual_sync(context: JobContext, run_id: str) -> None:
    manual.work(uuid.UUID(run_id), context.should_abort, is_job=True)


def rescue_deliveries(_context: JobContext, timestamp: int) -> None:
    with transaction() as session:
        keys = rescue(session)
    if keys:
        logger.warning("deliveries were waiting without a job", extra={"destinations": keys})


async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Jobs whose worker died: Procrastinate finds them, but does not retry them by itself."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
        await manager.retry_job(job)
        logger.warning("job retried: its worker died", extra={"task": job.task_name})


async def remove_finished_jobs(context: JobContext, timestamp: int) -> None:
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEEP_FINISHED_JOBS_HOURS,
        include_failed=True,
        include_cancelled=True,
        include_aborted=True,
    )


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


def add_to(queue: procrastinate.App) -> None:
    """Make the tasks known to a worker's queue, under the names they are deferred by."""
    queue.task(name=DELIVER, pass_context=True)(deliver)
    queue.task(name=MANUAL_SYNC, pass_context=True)(manual_sync)
    for job, name in (*accounts.JOBS, *backtests.JOBS, *letters.JOBS, *upkeep.JOBS):
        queue.task(name=name, pass_context=True)(job)
    for function, cron in PERIODIC:
        task = queue.task(name=function.__name__, pass_context=True, priority=PERIODIC_PRIORITY)
        queue.periodic(cron=cron)(task(function))
