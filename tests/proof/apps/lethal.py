"""The product as it is, and a hand around it that kills its own process at named points.

`PROOF_POINTS`: JSON, point → [every so many times it is reached, at most so often].
`PROOF_FOLDER`: where a file for each point counts, over all processes, how often it was reached.
`PROOF_HURRIES`: not empty: what a dead process held is given up sooner, for a run of a minute.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import threading
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.chat import lease_keeper, turn, turn_store
from app.delivery import claim, send
from wsgi import app

__all__ = ["app"]

POINTS: dict[str, tuple[int, int]] = json.loads(os.environ["PROOF_POINTS"])
FOLDER = Path(os.environ["PROOF_FOLDER"])
LONGEST_CALL_SECONDS = 0.005

this_thread = threading.local()


def reached(point: str) -> None:
    """Count, and die here when it is time."""
    if is_time(point):
        die()


def about_to(point: str) -> None:
    """Count, and die within the next milliseconds when it is time."""
    if is_time(point):
        threading.Timer(random.uniform(0, LONGEST_CALL_SECONDS), die).start()


def is_time(point: str) -> bool:
    if point not in POINTS:
        return False
    every, most = POINTS[point]
    with (FOLDER / point).open("a+") as counter:
        fcntl.flock(counter, fcntl.LOCK_EX)
        counter.seek(0)
        lines = counter.read().split()
        is_now = (len(lines) + 1) % every == 0 and lines.count("killed") < most
        counter.write("killed\n" if is_now else "passed\n")
    return is_now


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()  # dying takes a moment, and nothing more may happen


def _receive(original: Any) -> Any:
    @wraps(original)
    def receive(*args: Any, **kwargs: Any) -> Any:
        received = original(*args, **kwargs)
        reached("after transaction 1")
        return received

    return receive


def _store_message(original: Any) -> Any:
    @wraps(original)
    def store_message(*args: Any, **kwargs: Any) -> Any:
        about_to("during transaction 1")
        return original(*args, **kwargs)

    return store_message


def _store_reply(original: Any) -> Any:
    """Most answers are one call, committed by the database itself."""

    @wraps(original)
    def store_reply(lease: Any, reply: Any, session: Session | None = None, **about: Any) -> Any:
        if session is None:
            about_to("during transaction 2")
        return original(lease, reply, session, **about)

    return store_reply


def _record(original: Any) -> Any:
    @wraps(original)
    def record(*args: Any, **kwargs: Any) -> Any:
        this_thread.records, this_thread.completes = True, False
        try:
            stored = original(*args, **kwargs)
        finally:
            this_thread.records = False
        reached("after commit 2")
        return stored

    return record


def _complete(original: Any) -> Any:
    @wraps(original)
    def complete(*args: Any, **kwargs: Any) -> Any:
        this_thread.completes = True
        return original(*args, **kwargs)

    return complete


def _before_commit(_session: Session) -> None:
    """Every statement of the transaction has run; only the COMMIT has not been sent."""
    if getattr(this_thread, "records", False):
        if this_thread.completes:
            reached("before commit 2, completing")
        else:
            reached("before commit 2")


def _record_delivery(original: Any) -> Any:
    @wraps(original)
    def record(delivery: Any, outcome: Any, *args: Any, **kwargs: Any) -> None:
        if outcome.result == "delivered":
            reached("after the receiver's 200")
        original(delivery, outcome, *args, **kwargs)

    return record


turn.receive = _receive(turn.receive)  # type: ignore[assignment]
turn.store_message = _store_message(turn.store_message)  # type: ignore[assignment]
turn.store_reply = _store_reply(turn.store_reply)  # type: ignore[assignment]
turn._record = _record(turn._record)  # type: ignore[assignment]
turn.complete = _complete(turn.complete)  # type: ignore[assignment]
send.record = _record_delivery(send.record)  # type: ignore[assignment]
event.listen(Session, "before_commit", _before_commit)

if os.environ.get("PROOF_HURRIES"):
    turn_store.LEASE_SECONDS = 5.0
    lease_keeper.KEEP_EVERY_SECONDS = 1.0
    turn.OVERDUE_SECONDS = 1.0
    claim.CLAIM_FOR = timedelta(seconds=8)
