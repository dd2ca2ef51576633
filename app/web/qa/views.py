"""`/qa`: sessions that nobody has looked at yet, one after the other, and the numbers."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.web.dashboard.blueprint import frame
from app.web.guards import requires
from app.web.page_headers import protect

blueprint = Blueprint("qa", __name__)
blueprint.after_request(protect)
blueprint.context_processor(frame)


@blueprint.get("/qa")
@requires("sessions:read")
def index() -> ResponseReturnValue:
    return render_template("errors/problem.html", status=404, title="", detail="")
