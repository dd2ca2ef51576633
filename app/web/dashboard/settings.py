"""`/settings`: what is set up, and what is not."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from app.web.dashboard.blueprint import blueprint
from app.web.guards import requires


@blueprint.get("/settings", endpoint="settings")
@requires("settings:write")
def index() -> ResponseReturnValue:
    return render_template("errors/problem.html", status=404, title="", detail="")
