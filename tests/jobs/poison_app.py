"""The product with jobs, deliveries and messages that kill the process they run in.

`POISON_FOLDER`: where jobs note that they run (`started`), that they ended (`done`), and look
whether they may (`release`) or are harmless by now (`cured`). What kills says "poison".
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from procrastinate import JobContext
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import create_app
from app.assistants.base import Reply
from app.chat import lease_keeper, turn, turn_store
from app.chat.ingest import Ingested
from app.chat.outside import Outside
from app.chat.turn_store import Lease
from app.completion import claims, sweep
from app.completion.complete import Completed
from app.delivery import claim, send
from app.delivery.destinations import Outgoing
from app.jobs import limits, supervisor, tasks, upkeep
from app.sync import crash_guard, lines
from app.upkeep import job_deaths

FOLDER = Path(os.environ["POISON_FOLDER"])
POISON = "poison"

supervisor.SILENT_SECONDS = 10.0
limits.LIMITS["spin"] = 5.0
job_deaths.FIRST_PAUSE_SECONDS = 0.5
claims.SUSPECT_AFTER = crash_guard.SUSPECT_AFTER = timedelta(seconds=3)
claim.CLAIM_FOR = timedelta(seconds=3)
turn_store.LEASE_SECONDS = 3.0
lease_keeper.KEEP_EVERY_SECONDS = 0.5
turn.OVERDUE_SECONDS = 1.0


def note(file: str, name: str) -> None:
    with (FOLDER / file).open("a") as lines:
        lines.write(f"{name}\n")


def is_cured() -> bool:
    return (FOLDER / "cured").exists()


def hold_the_interpreter() -> None:
    """Search for about 2 to the power of 60 steps, without ever letting another thread run."""
    re.match(r"(?:a|a)+$", "a" * 60 + "b")


def beside(_context: JobContext, name: str) -> None:
    """A job like any other, that lasts as long as the test wants."""
    note("started", name)
    while not (FOLDER / "release").exists():
        time.sleep(0.05)
    note("done", name)


def spin(_context: JobContext) -> None:
    note("started", POISON)
    while not is_cured():
        pass


def hold(_context: JobContext) -> None:
    note("started", POISON)
    if not is_cured():
        hold_the_interpreter()


def vanish(_context: JobContext) -> None:
    note("started", POISON)
    if not is_cured():
        os._exit(3)


def vanish_again(_context: JobContext, timestamp: int) -> None:
    vanish(_context)


upkeep.JOBS = (*upkeep.JOBS, *((job, job.__name__) for job in (beside, spin, hold, vanish)))
if os.environ.get("POISON_PERIODIC"):
    tasks.PERIODIC = (*tasks.PERIODIC, (vanish_again, "* * * * * */2"))
_answer, _attempt, _judge, _ingest = turn.answer, send.attempt, sweep.judge, lines.ingest


def answer(lease: Lease) -> Iterator[str | Reply]:
    if any(POISON in line.text for line in lease.transcript.lines):
        note("started", str(lease.session_id))
        hold_the_interpreter()
    yield from _answer(lease)


def attempt(delivery: Outgoing) -> None:
    if POISON in delivery.body and not is_cured():
        note("started", str(delivery.id))
        os._exit(3)
    _attempt(delivery)


def judge(session: Session, session_ids: Sequence[uuid.UUID], cause: str) -> list[Completed]:
    killing = text(
        "SELECT EXISTS (SELECT FROM messages WHERE session_id = ANY(:ids) AND text = :it)"
    )
    if session.scalar(killing, {"ids": list(session_ids), "it": POISON}):
        note("started", "evaluation")
        hold_the_interpreter()
    return _judge(session, session_ids, cause)


def ingest(session: Session, conversations: Sequence[Outside], **more: Any) -> Ingested:
    if any(POISON in said.text for each in conversations for said in each.said):
        note("started", "import")
        os._exit(3)
    return _ingest(session, conversations, **more)


sweep.judge = judge
lines.ingest = ingest
turn.answer = answer
send.attempt = attempt
app = create_app()
