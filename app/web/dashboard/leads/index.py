"""`/leads`: the people who want to be called back, each once, with all they came for."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import leads, search
from app.reporting.lead_filter import LeadFilter
from app.web.frame.blueprint import blueprint
from app.web.frame.html import marked
from app.web.guards import requires
from app.web.lists.filters import Filters, read_filters
from app.web.lists.leads import LEADS
from app.web.lists.params import ids


@blueprint.get("/leads", endpoint="leads")
@requires("leads:read")
def index() -> ResponseReturnValue:
    filters = read_filters(LEADS)
    if tidy := filters.tidied():
        return tidy
    wanted, cursor = filters.to_filter(), request.args.get("cursor")
    plan = leads.plan_of(db.session(), wanted)
    page = render_template(
        "dashboard/leads/index.html",
        page=leads.list_page(db.session(), wanted, cursor=cursor, plan=plan),
        is_first=not cursor,
        cursor=cursor,
        **_about(filters, wanted, plan),
    )
    return page, 422 if filters.is_wrong else 200


@blueprint.get("/leads/rows")
@requires("leads:read")
def lead_rows() -> ResponseReturnValue:
    """By the ids of sessions: a row is drawn anew when any lead of its person changes."""
    filters = read_filters(LEADS)
    wanted = filters.to_filter()
    rows = leads.by_sessions(db.session(), ids("ids"), wanted)
    return render_template("dashboard/leads/_rows.html", rows=rows, **_about(filters, wanted))


def _about(
    filters: Filters[LeadFilter], wanted: LeadFilter, plan: leads.LeadPlan | None = None
) -> dict[str, object]:
    """What page and rows are both drawn with."""
    return {
        "filters": filters,
        "count": leads.counted(db.session(), wanted, plan=plan),
        "found": lambda value: marked(search.lead_marks(value, wanted.words)),
        "is_one_person": wanted.person is not None,
    }
