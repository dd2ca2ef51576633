"""`/sessions`: the list, and the pieces that keep it up to date."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import sessions
from app.reporting.session_filter import SessionFilter
from app.web.dashboard.sessions import highlights
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.lists.filters import Filters, read_filters
from app.web.lists.params import ids
from app.web.lists.saved_views import Tabs, has_views, read_tabs
from app.web.lists.sessions import SESSIONS

KEYS = (
    ("j", "Next session"),
    ("k", "Previous session"),
    ("Enter", "Open it"),
    ("x", "Select it, or take it out again"),
    ("e", "Archive what is selected, or this session; bring it back when it is archived"),
    ("n", "Show new sessions"),
    ("/", "Search"),
    ("?", "This list of keys"),
)


@blueprint.get("/sessions", endpoint="sessions")
@requires("sessions:read")
def index() -> ResponseReturnValue:
    filters = read_filters(SESSIONS)
    if tidy := filters.tidied():
        return tidy
    return _draw(filters, read_tabs(filters)), 422 if filters.is_wrong else 200


@blueprint.get("/sessions/rows")
@requires("sessions:read")
def session_rows() -> ResponseReturnValue:
    filters = read_filters(SESSIONS)
    filter_ = filters.to_filter()
    return render_template(
        "dashboard/sessions/_rows.html",
        rows=sessions.by_ids(db.session(), ids("ids"), filter_),
        count=sessions.counted(db.session(), filter_),
        filters=filters,
        highlights=highlights,
    )


@has_views(SESSIONS)
def _draw(filters: Filters[SessionFilter], tabs: Tabs) -> str:
    filter_, cursor = filters.to_filter(), request.args.get("cursor")
    chosen = sessions.choose(db.session(), filter_)
    return render_template(
        "dashboard/sessions/index.html",
        page=sessions.list_page(db.session(), filter_, cursor=cursor, chosen=chosen),
        count=sessions.counted(db.session(), filter_, chosen=chosen),
        filters=filters,
        highlights=highlights,
        tabs=tabs,
        is_first=not cursor,
        cursor=cursor,
        keys=KEYS,
    )
