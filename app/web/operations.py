"""`/healthz` and `/readyz`: does the process answer, and has it what it needs?"""

from __future__ import annotations

import time

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.core import migrations, queue
from app.core.connection_shares import Part
from app.core.db import callers_waiting, db
from app.web.guards import public

blueprint = Blueprint("operations", __name__)

#: A worker reports every ten seconds or so; longer ago, it is gone.
WORKER_IS_GONE_AFTER_SECONDS = 60
#: For so long a check that found no connection trusts the last one that did.
STILL_READY_SECONDS = 10
#: The parts of `core.connection_shares`, as a check is named after them.
BUSY: dict[Part, tuple[str, str]] = {
    "chats": ("chats", "Every connection for chats and deliveries is in use: they have to wait."),
    "desk": ("pages", "Every connection for pages and the API is in use: they have to wait."),
}


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    return {"status": "ok"}


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """503 when requests cannot be served. What only delays something is told with 200: a missing
    worker, or work of which more waits for a connection than there are. A busy process is better
    left in the load balancer: taken out, it would make the others busier.
    """
    try:
        checks: dict[str, str] = {
            "database": "ok",
            "migrations": _migrations(),
            "worker": _worker(),
        }
        current_app.extensions["ready_at"] = time.monotonic()
    except PoolTimeoutError:
        checks = _many_checks_at_once()
    except SQLAlchemyError:
        db.session.rollback()
        checks = {"database": "The database cannot be reached."}
    if checks["database"] == "ok":
        checks |= _busy()
    is_ready = checks["database"] == "ok" and checks.get("migrations", "ok") == "ok"
    is_whole = all(value == "ok" for value in checks.values())
    status = "ok" if is_whole else "degraded" if is_ready else "unavailable"
    return {"status": status, "checks": checks}, 200 if is_ready else 503


def _many_checks_at_once() -> dict[str, str]:
    """Other checks have taken every connection for it; what they found a moment ago still holds."""
    ready_at: float | None = current_app.extensions.get("ready_at")
    if ready_at is None or time.monotonic() - ready_at > STILL_READY_SECONDS:
        return {"database": "The database does not answer in time."}
    return {"database": "ok", "checks": "Too many checks at once: this is as of a moment ago."}


def _busy() -> dict[str, str]:
    waiting = callers_waiting()
    return dict(said for part, said in BUSY.items() if waiting.get(part))


def _migrations() -> str:
    if migrations.is_current(db.session().connection()):
        return "ok"
    return "The database is older than this version. Start it with `make run`, which brings it up."


def _worker() -> str:
    seconds = queue.worker_seen_seconds_ago(db.session())
    if seconds is None or seconds > WORKER_IS_GONE_AFTER_SECONDS:
        return "No worker is running: leads wait until one does."
    return "ok"
