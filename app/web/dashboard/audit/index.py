"""`/audit`: who did what."""

from __future__ import annotations

import uuid

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import audit
from app.reporting.audit import AuditFilter
from app.web.dashboard.audit import labels as audit_labels
from app.web.frame.blueprint import blueprint
from app.web.frame.live import SCOPE_OF
from app.web.guards import requires
from app.web.lists.filters import Filters, pick
from app.web.lists.periods import Period, read_period

NOBODY = "command-line"
SCOPE_OF["audit"] = "audit:read"


@blueprint.get("/audit", endpoint="audit")
@requires("audit:read")
def index() -> ResponseReturnValue:
    filters = _read_filters()
    if tidy := filters.tidied():
        return tidy
    cursor = request.args.get("cursor")
    page = render_template(
        "dashboard/audit/index.html",
        page=audit.list_page(db.session(), _wanted(filters), cursor=cursor),
        filters=filters,
        is_first=not cursor,
        cursor=cursor,
        audit_labels=audit_labels,
    )
    return page, 422 if filters.period and filters.period.errors else 200


def _read_filters() -> Filters:
    everybody = {**audit.people(db.session()), NOBODY: audit_labels.COMMAND_LINE}
    kinds = {kind: word for kind, (word, _) in audit_labels.ABOUT.items()}
    return Filters(
        "dashboard.audit",
        (pick("by", "By", "Everybody", everybody), pick("about", "About", "Everything", kinds)),
        read_period(),
        period_label="Done",
    )


def _wanted(filters: Filters) -> AuditFilter:
    chosen = {each.name: each.value for each in filters.choices}
    period, by, about = filters.period or Period(), chosen["by"], chosen["about"]
    return AuditFilter(
        user_id=uuid.UUID(by) if by and by != NOBODY else None,
        is_command_line=by == NOBODY,
        object_types=audit_labels.ABOUT[about][1] if about else (),
        at_from=period.start,
        at_to=period.end,
    )
