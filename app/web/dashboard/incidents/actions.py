"""What people do with an incident: resolve it, reopen it."""

from __future__ import annotations

import uuid

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.incidents.resolve import open_again, resolve
from app.web.audit import note
from app.web.frame.addresses import local_path
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity


@blueprint.post("/incidents/<uuid:incident_id>/resolution")
@requires("errors:write")
def resolve_incident(incident_id: uuid.UUID) -> ResponseReturnValue:
    identity = current_identity()
    with transaction() as session:
        if resolve(session, incident_id, identity.user_id if identity else None):
            note(session, "incident.resolved", "incident", incident_id)
    flash("Marked as resolved. If it happens again, it is open again by itself.")
    return redirect(local_path(request.form.get("back")))


@blueprint.post("/incidents/<uuid:incident_id>/reopening")
@requires("errors:write")
def reopen_incident(incident_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        if open_again(session, incident_id):
            note(session, "incident.reopened", "incident", incident_id)
    flash("The incident is open again.")
    return redirect(local_path(request.form.get("back")))
