"""`/profile`: what a user decides about themselves."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from app.web.dashboard.blueprint import blueprint
from app.web.guards import requires


@blueprint.get("/profile", endpoint="profile")
@requires("profile:write")
def index() -> ResponseReturnValue:
    return render_template("errors/problem.html", status=404, title="", detail="")
