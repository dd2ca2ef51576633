"""`/sync/jobs`: retry what was quarantined because it kept stopping the worker."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.core.errors import NotFound
from app.upkeep import quarantine
from app.web.audit import note
from app.web.frame.blueprint import blueprint
from app.web.guards import requires


@blueprint.post("/sync/jobs/<int:job_id>/attempts")
@requires("sync:run")
def retry_job(job_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            quarantine.retry(session, job_id)
            note(session, "job.retried", "job", job_id)
    except NotFound as error:
        flash(error.detail)
    else:
        flash("The job is retried, apart from everything else.")
    return redirect(url_for("dashboard.sync", _anchor="jobs"))
