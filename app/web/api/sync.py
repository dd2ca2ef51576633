"""`/api/v1/sync`: everything looked at again, and how far that is."""

from __future__ import annotations

import uuid

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.core.db import db, transaction
from app.core.errors import Denied
from app.sync import runs
from app.web.api.blueprint import blueprint, caller, query
from app.web.audit import note_person
from app.web.body import read_json
from app.web.guards import requires


@blueprint.post("/sync")
@requires("sync:run")
def start_sync() -> ResponseReturnValue:
    """Starts one, or goes on with one that was interrupted."""
    _stay_with_all_sites()
    query(Schema())
    if request.get_data(cache=True):
        read_json(Schema())
    with transaction() as session:
        run_id = runs.start(session, caller().user_id)
        note_person(session, "sync.started", "sync")
    return {"id": str(run_id)}, 202


@blueprint.get("/sync/<uuid:run_id>")
@requires("sync:run")
def sync(run_id: uuid.UUID) -> ResponseReturnValue:
    _stay_with_all_sites()
    query(Schema())
    run = runs.one(db.session(), run_id)
    return {
        "status": run.status,
        "progress": round(run.progress, 4),
        "report": {name: run.report.get(name, 0) for name in runs.COUNTS},
    }


def _stay_with_all_sites() -> None:
    if caller().site_id is not None:
        raise Denied("This key is good for one site only, and a sync reads all of them.")
