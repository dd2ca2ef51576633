"""`/`: the page the dashboard begins with."""

from __future__ import annotations

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from app.web.frame.blueprint import blueprint
from app.web.guards import requires


@blueprint.get("/")
@requires("sessions:read")
def overview() -> ResponseReturnValue:
    return redirect(url_for("dashboard.sessions"))
