"""`/audit`: who did what."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from app.web.dashboard.blueprint import blueprint
from app.web.guards import requires


@blueprint.get("/audit", endpoint="audit")
@requires("audit:read")
def index() -> ResponseReturnValue:
    return render_template("errors/problem.html", status=404, title="", detail="")
