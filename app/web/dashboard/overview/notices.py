"""The notices above every page: paused destinations, sites on the fallback, catching up."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting.notices import NONE, warnings
from app.web import hooks
from app.web.frame.blueprint import add_context, blueprint
from app.web.guards import requires
from app.web.identity import current_identity


@blueprint.get("/notices")
@requires("sessions:read")
def notices() -> ResponseReturnValue:
    """The notices alone, for pages that are open."""
    return render_template("dashboard/overview/_notices.html")


@add_context
def _warnings() -> dict[str, Any]:
    return {
        "is_catching_up": hooks.is_behind(),
        "warnings": warnings(db.session()) if current_identity() else NONE,
    }
