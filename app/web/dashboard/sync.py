"""`/sync`: where conversations come from, "Sync now" and what came of it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.core.errors import Conflict
from app.core.queue import worker_seen_seconds_ago
from app.models import MemorySource
from app.reporting import syncs
from app.sync import runs, trigger
from app.sync.failures import SourceFailed
from app.web.audit import note
from app.web.dashboard import job_labels, sync_words
from app.web.dashboard.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity

#: A worker gives a sign of life every 5 seconds.
WORKER_IS_GONE_SECONDS = 15


@blueprint.get("/sync")
@requires("sync:run")
def sync() -> ResponseReturnValue:
    cursor = request.args.get("cursor")
    found = syncs.sources(db.session())
    return render_template(
        "sync/index.html",
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
    return render_template("sync/_live.html", **_runs())


@blueprint.post("/sync")
@requires("sync:run")
def start_sync() -> ResponseReturnValue:
    identity = current_identity()
    try:
        with transaction() as session:
            runs.start(session, identity.user_id if identity else None)
            note(session, "sync.started", "sync")
    except Conflict as error:
        flash(error.detail)
    return redirect(url_for("dashboard.sync"))


def _runs() -> dict[str, Any]:
    """The last run, the ones before it, and whether anybody can do one."""
    history = syncs.latest(db.session())
    seen = worker_seen_seconds_ago(db.session())
    return {
        "latest": history[0] if history else None,
        "history": history[1:],
        "is_worker_gone": seen is None or seen > WORKER_IS_GONE_SECONDS,
        "sync_words": sync_words,
    }


def _is_instant(source: MemorySource) -> bool | None:
    """Whether its database tells us of new rows at once; None when that cannot be said now."""
    if source.last_error or source.seen_at is None:
        return None
    try:
        return trigger.is_installed(source.table_name)
    except SourceFailed:
        return None
