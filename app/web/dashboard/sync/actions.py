"""What admins start on the sync page: a sync, or a health check that may repair."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.core.errors import Conflict
from app.sync import runs
from app.upkeep import doctor_job
from app.web.audit import note
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity


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


@blueprint.post("/sync/checks")
@requires("sync:run")
def start_check() -> ResponseReturnValue:
    with transaction() as session:
        is_repair = bool(request.form.get("repair"))
        has_begun = doctor_job.start(session, fix=is_repair)
        if has_begun:
            note(session, "check.repaired" if is_repair else "check.started", "check")
    flash(
        "The check has begun. Load this page again in a moment to see what it found."
        if has_begun
        else "A check is running already."
    )
    return redirect(url_for("dashboard.sync", _anchor="checks"))
