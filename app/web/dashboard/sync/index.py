"""`/sync`: where conversations come from, and how manual syncs went."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.core.queue import worker_seen_seconds_ago
from app.models import MemorySource
from app.reporting import syncs
from app.sync import trigger
from app.sync.failures import SourceFailed
from app.web.dashboard.sync import health_check, job_labels, labels
from app.web.frame.blueprint import add_labels, blueprint
from app.web.guards import requires

#: A worker gives a sign of life every 5 seconds.
WORKER_IS_GONE_SECONDS = 15
add_labels(health_check=health_check)


@blueprint.get("/sync", endpoint="sync")
@requires("sync:run")
def index() -> ResponseReturnValue:
    cursor = request.args.get("cursor")
    found = syncs.sources(db.session())
    return render_template(
        "dashboard/sync/index.html",
        sources=[(source, _is_instant(source)) for source in found],
        set_aside=syncs.set_aside_page(db.session(), cursor=cursor),
        set_aside_count=syncs.count_set_aside(db.session()),
        is_first=not cursor,
        job_labels=job_labels,
        **_runs(),
    )


@blueprint.get("/sync/live")
@requires("sync:run")
def sync_live() -> ResponseReturnValue:
    return render_template("dashboard/sync/_live.html", **_runs())


def _runs() -> dict[str, Any]:
    """The last run, the ones before it, and whether anybody can do one."""
    history = syncs.latest(db.session())
    seen = worker_seen_seconds_ago(db.session())
    return {
        "latest": history[0] if history else None,
        "history": history[1:],
        "is_worker_gone": seen is None or seen > WORKER_IS_GONE_SECONDS,
        "sync_labels": labels,
    }


def _is_instant(source: MemorySource) -> bool | None:
    """Whether its database tells us of new rows at once; None when that cannot be said now."""
    if source.last_error or source.seen_at is None:
        return None
    try:
        return trigger.is_installed(source.table_name)
    except SourceFailed:
        return None
