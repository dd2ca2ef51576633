"""The dashboard's blueprint, and what every page of it shows."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.db import db
from app.reporting import deliveries
from app.web.dashboard import words
from app.web.guards import requires
from app.web.identity import current_identity
from app.web.page_headers import protect

blueprint = Blueprint("dashboard", __name__)
blueprint.after_request(protect)


@blueprint.get("/")
@requires("sessions:read")
def overview() -> ResponseReturnValue:
    return redirect(url_for("dashboard.sessions"))


@blueprint.context_processor
def frame() -> dict[str, Any]:
    identity = current_identity()
    return {
        "identity": identity,
        "now": clock.now(),
        "words": words,
        "paused_destinations": deliveries.paused(db.session()) if identity else [],
    }


@blueprint.record_once
def add_filters(state: BlueprintSetupState) -> None:
    state.app.jinja_env.filters.update(
        ago=words.ago, until=words.until, exact=words.exact, day=words.day, clock=words.clock_time
    )
