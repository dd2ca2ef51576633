"""`/users`: who may sign in, and with which role."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import users
from app.web.dashboard.users import labels
from app.web.frame.blueprint import blueprint
from app.web.frame.live import SCOPE_OF
from app.web.guards import requires

SCOPE_OF["users"] = "users:write"


@blueprint.get("/users", endpoint="users")
@requires("users:write")
def index() -> ResponseReturnValue:
    cursor = request.args.get("cursor")
    page = users.list_page(db.session(), cursor=cursor)
    return render_template("dashboard/users/index.html", page=page, user_labels=labels)
