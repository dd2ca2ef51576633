"""`flask worker`: runs the queued jobs until it is stopped, or those that are due.

The command itself only supervises (`supervisor`); the work is done in a process it forks, and what
that one died over in further ones, one job each.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
import procrastinate
from flask import Flask, current_app
from flask.cli import with_appcontext
from procrastinate import JobContext
from procrastinate.worker import Worker

from app.chat.lease_keeper import release_all
from app.core.connection_shares import LONG_JOBS, use_share
from app.core.db import db
from app.core.processes import end_with
from app.core.queue import ALONE, DEFAULT
from app.jobs import tasks
from app.jobs.heartbeats import heartbeats
from app.jobs.isolation import Isolation
from app.jobs.supervisor import FAILED, Supervisor
from app.jobs.watcher import Watcher, look_once

logger = logging.getLogger(__name__)

CONCURRENCY = 8
#: Threads for what a worker does beside its jobs.
SPARE_THREADS = 4
#: A job for later is noticed by looking; only one for now announces itself.
POLLING_SECONDS = 1.0
#: What is still being answered this long after a stop is given back: the next to come is SIGKILL.
GIVE_TURNS_BACK_SECONDS = 7.0
NOTE_SECONDS = 2.0
_IS_DUE = """
    SELECT count(*) FILTER (WHERE queue_name = %(alone)s AND status = 'todo')::int AS alone_due,
           count(*) FILTER (WHERE queue_name <> %(alone)s OR status = 'doing')::int AS others
      FROM procrastinate_jobs
     WHERE (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))
        OR (status = 'doing' AND queue_name = %(alone)s)
"""


def register(app: Flask) -> None:
    app.cli.add_command(command)


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, then end.")
@click.option("--concurrency", type=click.IntRange(1, 64), default=CONCURRENCY, show_default=True)
@click.option("--heartbeat-pipe", type=int, hidden=True)
@with_appcontext
def command(*, once: bool, concurrency: int, heartbeat_pipe: int | None) -> None:
    """Run the queued jobs: deliveries, and what keeps the product in order."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    parent = os.getpid()

    def start(is_alone: bool, pipe: int, dead: list[int]) -> None:
        end_with(parent, signal.SIGKILL)
        code = FAILED
        try:
            process = _Process(app, is_alone, concurrency, once)
            code = asyncio.run(process.run(pipe, dead))
        except Exception:
            logger.exception("a worker process failed")
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            # Nothing of the parent's is ended on the way out: its database is everybody's.
            os._exit(code)

    gc.freeze()  # what is loaded stays shared by all the processes that are forked
    sys.exit(Supervisor(start, once=once, heartbeat_pipe=heartbeat_pipe).run())


class _Process:
    """A process that works: for the whole queue, or `is_alone`, for one suspect job at a time."""

    def __init__(self, app: Flask, is_alone: bool, concurrency: int, once: bool) -> None:
        self._app, self._is_alone, self._is_once = app, is_alone, once
        self._concurrency = 1 if is_alone else concurrency
        self._isolation = Isolation(self._in_app, is_alone=is_alone)
        # Deferring uses the session's own connection (`core.queue`); a worker needs its own.
        connector = procrastinate.PsycopgConnector(
            conninfo=app.extensions["settings"].listen_url, min_size=1, max_size=4
        )
        self._queue = procrastinate.App(connector=connector)
        tasks.add_to(self._queue, with_periodic=not is_alone)
        self._options: dict[str, Any] = {
            "queues": [ALONE if is_alone else DEFAULT],
            "concurrency": self._concurrency,
            "wait": not (is_alone or once),
            "install_signal_handlers": False,
            "task_middleware": [self._in_context],
            "worker_middleware": [self._isolation.middleware],
            "fetch_job_polling_interval": POLLING_SECONDS,
            "update_heartbeat_interval": tasks.HEARTBEAT_SECONDS,
            "stalled_worker_timeout": tasks.DEAD_AFTER_SECONDS,
            # A delivery keeps its own history; a job that is done would only be in the way.
            "delete_jobs": "successful",
        }

    async def run(self, pipe: int, dead: list[int]) -> int:
        """Work until there is nothing left to do, or SIGTERM. Gives the exit code."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._concurrency + SPARE_THREADS))
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        side_tasks = [asyncio.create_task(heartbeats.send(pipe))]
        try:
            with self._app.app_context():
                db.engine.dispose(close=False)  # the parent's connections are not ours
            async with self._queue.open_async():
                await self._isolation.bury(dead)
                if not self._is_alone:
                    side_tasks.append(asyncio.create_task(self._look_for_suspects()))
                work = asyncio.create_task(self._work())
                stopped = asyncio.create_task(stop.wait())
                await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if stop.is_set():
                    side_tasks.append(asyncio.create_task(self._stop(work)))
                stopped.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
        finally:
            for task in side_tasks:
                task.cancel()
        return 0

    async def _work(self) -> None:
        if self._is_alone:
            await self._queue.run_worker_async(**self._options)
        elif self._is_once:
            await asyncio.to_thread(look_once, self._app)
            await self._do_what_is_due()
        else:
            logger.info("worker started", extra={"concurrency": self._concurrency})
            watcher = Watcher(self._app)
            watcher.start()
            try:
                await self._queue.run_worker_async(**self._options)
            finally:
                await asyncio.to_thread(watcher.stop)
                logger.info("worker stopped")

    async def _do_what_is_due(self) -> None:
        """Until nothing is due, or under way in a process of its own."""
        for function, _ in tasks.PERIODIC:
            await self._queue.configure_task(function.__name__).defer_async(timestamp=0)
        while True:
            found = await self._due()
            if found["others"]:
                await self._queue.run_worker_async(**self._options)
            if not (found["others"] or found["alone_due"]):
                return
            await self._isolation.bury([])
            await asyncio.sleep(0.2)

    async def _stop(self, work: asyncio.Task[None]) -> None:
        """What is being done is finished; what is not finished when we are killed is no death."""
        heartbeats.is_stopping = True  # told to the jobs at once; they are always waited for
        try:
            async with asyncio.timeout(NOTE_SECONDS):
                await self._isolation.note_stopped(heartbeats.job_ids())
        except Exception:
            logger.exception("a stop was not noted")
        work.cancel()
        await asyncio.sleep(GIVE_TURNS_BACK_SECONDS)
        await self._in_app(lambda: release_all(db.engine))

    async def _look_for_suspects(self) -> None:
        while True:
            with contextlib.suppress(procrastinate.exceptions.ConnectorException):
                heartbeats.alone_due = (await self._due())["alone_due"]
            await asyncio.sleep(POLLING_SECONDS)

    async def _due(self) -> dict[str, Any]:
        connector = self._queue.connector
        return await connector.execute_query_one_async(_IS_DUE, alone=ALONE)

    def _in_app(self, work: Callable[[], Any]) -> Awaitable[Any]:
        """Run this in a thread, with an app context and a database session of its own."""

        def run() -> Any:
            with self._app.app_context():
                return work()

        return asyncio.to_thread(run)

    def _in_context(
        self, call_next: Callable[[], Any], context: JobContext, _worker: Worker
    ) -> Any:
        """Each blocking task has an app context, and with it a database session, of its own. Long
        jobs leave connections to deliveries and to turns that wait for an answer.
        """
        with self._app.app_context():
            if context.job.task_name in tasks.LONG_JOBS:
                use_share(LONG_JOBS)
            return call_next()
