"""`/incidents`: what failed in workflows and assistants."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import incidents
from app.web.dashboard.incidents import labels
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.lists.filters import read_filters
from app.web.lists.incidents import INCIDENTS
from app.web.lists.params import ids


@blueprint.get("/incidents", endpoint="incidents")
@requires("errors:read")
def index() -> ResponseReturnValue:
    wanted, cursor = read_filters(INCIDENTS).to_filter(), request.args.get("cursor")
    return render_template(
        "dashboard/incidents/index.html",
        page=incidents.list_page(db.session(), wanted, cursor=cursor),
        wanted=wanted,
        is_first=not cursor,
        incident_labels=labels,
    )


@blueprint.get("/incidents/rows", endpoint="incidents_live")
@requires("errors:read")
def rows() -> ResponseReturnValue:
    found = incidents.by_ids(db.session(), ids("ids"), read_filters(INCIDENTS).to_filter())
    return render_template("dashboard/incidents/_rows.html", rows=found, incident_labels=labels)
