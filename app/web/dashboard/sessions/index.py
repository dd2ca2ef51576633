"""`/sessions`: the list, and the pieces that keep it up to date."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import sessions
from app.web.dashboard.sessions import highlights
from app.web.dashboard.sessions.filters import read_filters, wanted
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.lists.filters import Filters
from app.web.lists.params import ids
from app.web.lists.saved_views import LISTS, Tabs, ViewedList, read_tabs

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
    filters = read_filters()
    if tidy := filters.tidied():
        return tidy
    is_wrong = bool(filters.period and filters.period.errors)
    return _draw(filters, read_tabs("sessions", filters)), 422 if is_wrong else 200


@blueprint.get("/sessions/rows")
@requires("sessions:read")
def session_rows() -> ResponseReturnValue:
    filters = read_filters()
    filter_ = wanted(filters)
    return render_template(
        "dashboard/sessions/_rows.html",
        rows=sessions.by_ids(db.session(), ids("ids"), filter_),
        count=sessions.counted(db.session(), filter_),
        filters=filters,
        highlights=highlights,
    )


def _draw(filters: Filters, tabs: Tabs) -> str:
    filter_, cursor = wanted(filters), request.args.get("cursor")
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


LISTS["sessions"] = ViewedList(read_filters, _draw)
