"""`flask worker`: runs the queued jobs until it is stopped, or those that are due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
import procrastinate
from flask import Flask, current_app
from flask.cli import with_appcontext
from procrastinate import JobContext
from procrastinate.worker import Worker

from app.core.connection_shares import LONG_JOBS, use_share
from app.jobs import tasks
from app.jobs.watcher import Watcher, look_once

logger = logging.getLogger(__name__)

CONCURRENCY = 8
#: A job for later is noticed by looking; only one for now announces itself.
POLLING_SECONDS = 1.0
_IS_DUE = """
    SELECT EXISTS (
        SELECT FROM procrastinate_jobs
         WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
    ) AS found
"""


def register(app: Flask) -> None:
    app.cli.add_command(command)


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, then end.")
@click.option("--concurrency", type=click.IntRange(1, 64), default=CONCURRENCY, show_default=True)
@with_appcontext
def command(*, once: bool, concurrency: int) -> None:
    """Run the queued jobs: deliveries, and what keeps the product in order."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    run(app, concurrency=concurrency, once=once)


def run(app: Flask, *, concurrency: int = CONCURRENCY, once: bool = False) -> None:
    """Work in the foreground. SIGTERM and SIGINT: what is being sent is finished, then it ends."""
    # Deferring uses the session's own connection (`core.queue`); a worker needs one of its own.
    connector = procrastinate.PsycopgConnector(
        conninfo=app.extensions["settings"].listen_url, min_size=1, max_size=4
    )
    queue = procrastinate.App(connector=connector)
    tasks.add_to(queue)
    options: dict[str, Any] = {
        "concurrency": concurrency,
        "task_middleware": [_in_context_of(app)],
        "fetch_job_polling_interval": POLLING_SECONDS,
        "update_heartbeat_interval": tasks.HEARTBEAT_SECONDS,
        "stalled_worker_timeout": tasks.DEAD_AFTER_SECONDS,
        # A delivery keeps its own history; a job that is done would only be in the way.
        "delete_jobs": "successful",
    }
    asyncio.run(_run(app, queue, options, concurrency, once=once))


async def _run(
    app: Flask, queue: procrastinate.App, options: dict[str, Any], concurrency: int, *, once: bool
) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency))
    async with queue.open_async():
        if once:
            await asyncio.to_thread(look_once, app)
            await _do_what_is_due(queue, options)
        else:
            logger.info("worker started", extra={"concurrency": concurrency})
            watcher = Watcher(app)
            watcher.start()
            try:
                # No wait before running jobs are told to stop; they are always waited for.
                await queue.run_worker_async(shutdown_graceful_timeout=0, **options)
            finally:
                await asyncio.to_thread(watcher.stop)
            logger.info("worker stopped")


async def _do_what_is_due(queue: procrastinate.App, options: dict[str, Any]) -> None:
    for function, _ in tasks.PERIODIC:
        await queue.configure_task(function.__name__).defer_async(timestamp=0)
    while (await queue.connector.execute_query_one_async(_IS_DUE))["found"]:
        await queue.run_worker_async(wait=False, install_signal_handlers=False, **options)


def _in_context_of(app: Flask) -> Callable[[Callable[[], Any], JobContext, Worker], Any]:
    """Each blocking task has an app context, and with it a database session, of its own. Long
    jobs leave connections to deliveries and to turns that wait for an answer.
    """

    def middleware(call_next: Callable[[], Any], context: JobContext, _worker: Worker) -> Any:
        with app.app_context():
            if context.job.task_name in tasks.LONG_JOBS:
                use_share(LONG_JOBS)
            return call_next()

    return middleware
