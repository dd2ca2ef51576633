"""`/incidents`: what failed in workflows and assistants; "Mark as resolved" and "Open again"."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.incidents.resolve import open_again, resolve
from app.reporting import incidents
from app.reporting.incidents import IncidentFilter
from app.web.audit import note
from app.web.dashboard.incidents import labels as incident_labels
from app.web.frame.addresses import local_path
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity
from app.web.lists.params import choice, ids


@blueprint.get("/incidents", endpoint="incidents")
@requires("errors:read")
def index() -> ResponseReturnValue:
    wanted, cursor = _wanted(), request.args.get("cursor")
    return render_template(
        "dashboard/incidents/index.html",
        page=incidents.list_page(db.session(), wanted, cursor=cursor),
        wanted=wanted,
        is_first=not cursor,
        incident_labels=incident_labels,
    )


@blueprint.get("/incidents/rows", endpoint="incidents_live")
@requires("errors:read")
def rows() -> ResponseReturnValue:
    found = incidents.by_ids(db.session(), ids("ids"), _wanted())
    return render_template(
        "dashboard/incidents/_rows.html", rows=found, incident_labels=incident_labels
    )


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


def _wanted() -> IncidentFilter:
    """What is open; everything where that is asked for."""
    return IncidentFilter(is_resolved=None if choice("show", ["all"]) else False)
