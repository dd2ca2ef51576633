"""`/sessions`: the list, and the pieces that keep it up to date."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.models.chat_session import COMPLETION_STATUSES
from app.reporting import sessions
from app.reporting.sessions import SessionFilter
from app.web.dashboard.blueprint import blueprint
from app.web.dashboard.queries import choice, ids
from app.web.guards import requires


@blueprint.get("/sessions", endpoint="sessions")
@requires("sessions:read")
def index() -> ResponseReturnValue:
    wanted, cursor = _wanted(), request.args.get("cursor")
    page = sessions.list_page(db.session(), wanted, cursor=cursor)
    return render_template("sessions/index.html", page=page, wanted=wanted, is_first=not cursor)


@blueprint.get("/sessions/rows")
@requires("sessions:read")
def session_rows() -> ResponseReturnValue:
    rows = sessions.by_ids(db.session(), ids("ids"), _wanted())
    return render_template("sessions/_rows.html", rows=rows)


def _wanted() -> SessionFilter:
    return SessionFilter(completion_status=choice("completion_status", COMPLETION_STATUSES))
