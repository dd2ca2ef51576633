"""`/settings`: what is configured on this server and what is not."""

from __future__ import annotations

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from app.delivery import letters
from app.web.dashboard.settings import labels
from app.web.frame.blueprint import blueprint
from app.web.guards import requires


@blueprint.get("/settings", endpoint="settings")
@requires("settings:write")
def index() -> ResponseReturnValue:
    return render_template(
        "dashboard/settings/index.html",
        parts=labels.parts(current_app.extensions["settings"]),
        letters_to=letters.destination(),
    )
