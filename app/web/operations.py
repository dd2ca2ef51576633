"""`/healthz` and `/readyz`: does the process answer, and has it what it needs?"""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from app.core import migrations, queue
from app.core.db import db
from app.web.guards import public

blueprint = Blueprint("operations", __name__)

#: A worker reports every ten seconds or so; longer ago, it is gone.
WORKER_IS_GONE_AFTER_SECONDS = 60


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    return {"status": "ok"}


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """503 when requests cannot be served; a missing worker only delays deliveries: 200."""
    try:
        checks = {"database": "ok", "migrations": _migrations(), "worker": _worker()}
    except SQLAlchemyError:
        db.session.rollback()
        checks = {"database": "The database cannot be reached."}
    is_ready = checks["database"] == "ok" and checks.get("migrations") == "ok"
    is_whole = all(value == "ok" for value in checks.values())
    status = "ok" if is_whole else "degraded" if is_ready else "unavailable"
    return {"status": status, "checks": checks}, 200 if is_ready else 503


def _migrations() -> str:
    if migrations.is_current(db.session().connection()):
        return "ok"
    return "The database is older than this version. Start it with `make run`, which brings it up."


def _worker() -> str:
    seconds = queue.worker_seen_seconds_ago(db.session())
    if seconds is None or seconds > WORKER_IS_GONE_AFTER_SECONDS:
        return "No worker is running: leads wait until one does."
    return "ok"
