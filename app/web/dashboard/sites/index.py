"""`/sites`: the list of sites."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import sites
from app.web.dashboard.sites import assistant_labels
from app.web.frame.blueprint import add_labels, blueprint
from app.web.guards import requires

add_labels(assistant_labels=assistant_labels)


@blueprint.get("/sites", endpoint="sites")
@requires("sites:write")
def index() -> ResponseReturnValue:
    return render_template("dashboard/sites/index.html", sites=sites.list_all(db.session()))
