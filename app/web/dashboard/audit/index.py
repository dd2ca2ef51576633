"""`/audit`: who did what."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import audit
from app.web.dashboard.audit import labels
from app.web.frame.blueprint import blueprint
from app.web.frame.live import SCOPE_OF
from app.web.guards import requires
from app.web.lists.audit import AUDIT
from app.web.lists.filters import read_filters

SCOPE_OF["audit"] = "audit:read"


@blueprint.get("/audit", endpoint="audit")
@requires("audit:read")
def index() -> ResponseReturnValue:
    filters = read_filters(AUDIT)
    if tidy := filters.tidied():
        return tidy
    cursor = request.args.get("cursor")
    page = render_template(
        "dashboard/audit/index.html",
        page=audit.list_page(db.session(), filters.to_filter(), cursor=cursor),
        filters=filters,
        is_first=not cursor,
        cursor=cursor,
        audit_labels=labels,
    )
    return page, 422 if filters.is_wrong else 200
