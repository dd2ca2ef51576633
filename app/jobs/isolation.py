"""Around each job: report it, run a suspect one apart from the others, and note what survived."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import JobContext
from procrastinate.worker import Worker

from app.jobs.heartbeats import heartbeats
from app.upkeep import job_deaths

logger = logging.getLogger(__name__)

InApp = Callable[[Callable[[], Any]], Awaitable[Any]]


class Isolation:
    """Of one worker process. `in_app` runs a function in a thread with an app context;
    `is_alone`: the process runs one suspect job at a time.
    """

    def __init__(self, in_app: InApp, *, is_alone: bool) -> None:
        self._in_app, self._is_alone = in_app, is_alone
        self._suspects: frozenset[str] = frozenset()

    async def bury(self, dead_workers: list[int]) -> None:
        """Take the jobs out of dead workers' hands: these, and those without a heartbeat."""
        self._suspects = await self._in_app(lambda: job_deaths.take_over(dead_workers))

    async def note_stopped(self, job_ids: list[int]) -> None:
        await self._in_app(lambda: job_deaths.note_stopped(job_ids))

    async def middleware(
        self, call_next: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> Any:
        job = context.job
        assert job.id is not None, "a job that runs is stored"
        heartbeats.works_as(worker.worker_id)
        subject = job_deaths.subject_of(job.task_name, job.id, job.task_kwargs)
        if not self._is_alone and subject in self._suspects:
            await self._in_app(
                lambda: job_deaths.run_alone(subject, job.task_name, job.task_kwargs)
            )
            return None
        try:
            with heartbeats.running(job.task_name, job.id):
                return await call_next()
        finally:
            # It failed perhaps, but it killed nothing.
            if self._is_alone:
                await self._in_app(lambda: job_deaths.note_survived(subject))
            elif job.task_name == job_deaths.TAKE_OVER:
                self._suspects = await self._in_app(job_deaths.suspects)
