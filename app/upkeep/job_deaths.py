"""Jobs during which a worker died: run alone, and quarantined when that kills a worker twice.

Nobody can tell which job of a dead worker was to blame, so each is a suspect until it has run to
its end in a process that does nothing else (`queue.ALONE`). What is counted is a *subject*: one
job; all runs of a periodic task, because each of them reads the same data; everything sent to one
destination.
Why so: docs/decisions/0017-a-poison-job-harms-only-itself.md.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.core.queue import ALONE, DEFAULT, defer_alone, waiting_alone
from app.delivery.outbox import DELIVER

logger = logging.getLogger(__name__)

#: The periodic task that calls `take_over`.
TAKE_OVER = "retry_stalled_jobs"
DEAD_AFTER_SECONDS = 15
#: Deaths of a job that ran alone after which it is left to a person.
MOST_DEATHS_ALONE = 2
#: Never quarantined: where no delivery explains the deaths, it goes on alone, after growing pauses.
NEVER_QUARANTINED = (DELIVER,)
#: Their own rows count how often a process died over them, and new jobs are deferred from there.
ANSWER_TURN = "answer_turn"
IMPORT_ALONE = "import_alone"
#: One session, evaluated for completion after a process died over it.
EVALUATE_ALONE = "evaluate_alone"
COUNTED_ELSEWHERE = (ANSWER_TURN, IMPORT_ALONE)
FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 3600.0

_FORGET_WORKERS = text("DELETE FROM procrastinate_workers WHERE id = ANY(:ids)")
_STALLED = text("""
    SELECT job.id, job.task_name, job.queue_name, job.args
      FROM procrastinate_jobs job
      LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
     WHERE job.status = 'doing'
       AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => :seconds))
     ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
""")
_DIED = text("""
    INSERT INTO job_deaths AS d
           (subject, job_id, task_name, deaths, deaths_alone, first_at, last_at)
    VALUES (:subject, :job_id, :task, 1, :alone, :now, :now)
    ON CONFLICT (subject) DO UPDATE
       SET job_id = excluded.job_id, deaths = d.deaths + 1,
           deaths_alone = d.deaths_alone + excluded.deaths_alone, last_at = excluded.last_at
    RETURNING deaths_alone, quarantined_at
""")
_WAS_STOPPED = text("""
    UPDATE job_deaths SET stopped_job_id = NULL
     WHERE subject = :subject AND stopped_job_id = :job_id RETURNING deaths
""")
_STOPPED = text("""
    INSERT INTO job_deaths AS d (subject, job_id, task_name, first_at, last_at, stopped_job_id)
    VALUES (:subject, :job_id, :task, :now, :now, :job_id)
    ON CONFLICT (subject) DO UPDATE SET stopped_job_id = excluded.stopped_job_id
""")
# Stopped jobs that came to their end after all.
_FORGET_STOPPED = text("""
    DELETE FROM job_deaths d
     WHERE d.deaths = 0 AND NOT EXISTS (
           SELECT FROM procrastinate_jobs j WHERE j.id = d.stopped_job_id AND j.status = 'doing')
""")
# One of those that a worker was sending killed it perhaps: its supervisor lives. Which one, nobody
# knows; a worker that is gone with its supervisor was killed from outside.
_SUSPECT_DELIVERIES = text("""
    UPDATE deliveries SET is_suspect = true
     WHERE claim_token IS NOT NULL AND status IN ('pending', 'failed')
       AND destination_key IN (
           SELECT args ->> 'destination_key' FROM procrastinate_jobs
            WHERE task_name = :task AND status = 'doing' AND worker_id = ANY(:ids))
""")
# Each delivery counts its own deaths (`deliveries.interruptions`).
_IS_SENDING = text("""
    SELECT EXISTS (
        SELECT FROM deliveries
         WHERE destination_key = :destination_key AND claim_token IS NOT NULL
           AND status IN ('pending', 'failed')
    )
""")
_RETRY = text("SELECT procrastinate_retry_job_v2(:job_id, :at, :priority, :queue, NULL)")
_END = text("SELECT procrastinate_finish_job_v1(:job_id, 'failed', :delete)")
_QUARANTINE = text("""
    UPDATE job_deaths SET quarantined_at = coalesce(quarantined_at, :now) WHERE subject = :subject
""")
_SURVIVED = text("DELETE FROM job_deaths WHERE subject = :subject")
_SUSPECTS = text("SELECT subject FROM job_deaths WHERE deaths > 0")
_ONE = text("SELECT * FROM job_deaths WHERE subject = :subject FOR UPDATE")
_JOBS = text("SELECT id, task_name, args FROM procrastinate_jobs WHERE id = ANY(:ids)")
_REMOVE_FINISHED = text("""
    DELETE FROM procrastinate_jobs job
     WHERE job.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
       AND NOT EXISTS (SELECT FROM job_deaths d WHERE d.job_id = job.id)
       AND (SELECT max(event.at) FROM procrastinate_events event WHERE event.job_id = job.id)
           < now() - make_interval(hours => :hours)
""")


def subject_of(task: str, job_id: int, arguments: Mapping[str, Any]) -> str:
    """What is counted when a worker dies during this job."""
    if task == DELIVER:
        return f"{task}:{arguments['destination_key']}"
    if "timestamp" in arguments:  # a periodic task
        return task
    return f"{task}:{job_id}"


def take_over(dead_workers: Sequence[int] = ()) -> frozenset[str]:
    """Take every job out of the hands of workers that died: these, whose supervisor saw it, and
    those without a heartbeat.

    Each runs again alone; one that has killed two workers alone is quarantined. Gives the subjects
    that are suspect now.
    """
    with transaction() as session:
        if dead_workers:
            session.execute(_SUSPECT_DELIVERIES, {"ids": list(dead_workers), "task": DELIVER})
            session.execute(_FORGET_WORKERS, {"ids": list(dead_workers)})
        for job in session.execute(_STALLED, {"seconds": DEAD_AFTER_SECONDS}).all():
            _take_over(session, job)
        session.execute(_FORGET_STOPPED)
        return _suspects(session)


def suspects() -> frozenset[str]:
    with transaction() as session:
        return _suspects(session)


def note_stopped(job_ids: Sequence[int]) -> None:
    """Their worker was told to stop: if it is killed before they end, that was not their doing."""
    with transaction() as session:
        for job in session.execute(_JOBS, {"ids": list(job_ids)}).all():
            values = {"job_id": job.id, "task": job.task_name, "now": clock.now()}
            subject = subject_of(job.task_name, job.id, job.args)
            session.execute(_STOPPED, {"subject": subject, **values})


def note_survived(subject: str) -> None:
    """It has run to its end alone: nothing is held against it any more."""
    with transaction() as session:
        session.execute(_SURVIVED, {"subject": subject})


def run_alone(subject: str, task: str, arguments: Mapping[str, Any]) -> None:
    """Have another process run a suspect periodic task or delivery, unless one will already, or
    its last try was too short a time ago.
    """
    with transaction() as session:
        row = session.execute(_ONE, {"subject": subject}).one_or_none()
        now = clock.now()
        at = now if row is None else max(now, row.last_at + pause_after(row.deaths_alone))
        if at > now and task not in NEVER_QUARANTINED:
            return  # the next run of a periodic task asks again
        is_periodic = "timestamp" in arguments
        at_once = None if at <= now else at
        defer_alone(session, task, arguments, at=at_once, is_any_run=is_periodic)


def pause_after(deaths_alone: int) -> timedelta:
    """How long a subject is left alone after so many deaths while it ran alone."""
    if deaths_alone == 0:
        return timedelta(0)
    seconds = FIRST_PAUSE_SECONDS * 2.0 ** min(deaths_alone - 1, 20)
    return timedelta(seconds=min(seconds, LONGEST_PAUSE_SECONDS))


def remove_finished(hours: int) -> None:
    """Jobs that ended this long ago; those that a person may still retry stay."""
    with transaction() as session:
        session.execute(_REMOVE_FINISHED, {"hours": hours})


def _suspects(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(_SUSPECTS))


def _take_over(session: Session, job: Row[Any]) -> None:
    subject = subject_of(job.task_name, job.id, job.args)
    extra = {"task": job.task_name, "job_id": job.id}
    if session.scalar(_WAS_STOPPED, {"subject": subject, "job_id": job.id}) is not None:
        _again(session, job.id, queue=job.queue_name, at=clock.now(), priority=None)
        logger.warning("job retried: its worker was stopped", extra=extra)
        return
    if job.task_name in COUNTED_ELSEWHERE:
        session.execute(_END, {"job_id": job.id, "delete": True})
        return
    if job.task_name == DELIVER and session.scalar(_IS_SENDING, job.args):
        # Those that are suspect are sent alone; whatever else is due there goes on.
        _again(session, job.id, queue=DEFAULT, at=clock.now(), priority=None)
        logger.warning("deliveries go on: their worker died", extra=extra)
        return
    now = clock.now()
    values = {"subject": subject, "job_id": job.id, "task": job.task_name, "now": now}
    died = session.execute(_DIED, values | {"alone": int(job.queue_name == ALONE)}).one()
    may_be_quarantined = job.task_name not in NEVER_QUARANTINED
    if may_be_quarantined and died.deaths_alone >= MOST_DEATHS_ALONE:
        session.execute(_QUARANTINE, {"subject": subject, "now": now})
        session.execute(_END, {"job_id": job.id, "delete": False})
        logger.error("job quarantined: it keeps killing its worker", extra=extra)
        return
    if waiting_alone(session, job.task_name, job.args, is_any_run="timestamp" in job.args):
        session.execute(_END, {"job_id": job.id, "delete": True})
        return
    at = now + pause_after(died.deaths_alone)
    _again(session, job.id, queue=ALONE, at=at, priority=-died.deaths_alone)
    logger.warning("job retried alone: its worker died", extra=extra)


def _again(
    session: Session, job_id: int, *, queue: str, at: datetime, priority: int | None
) -> None:
    values = {"job_id": job_id, "at": at, "priority": priority, "queue": queue}
    session.execute(_RETRY, values)
