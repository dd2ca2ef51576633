"""`/deliveries`: the list of deliveries, and the counts of each destination."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import deliveries
from app.web.dashboard.deliveries import labels
from app.web.frame.addresses import PAGE_OF
from app.web.frame.blueprint import add_labels, blueprint
from app.web.guards import requires
from app.web.lists.deliveries import DELIVERIES
from app.web.lists.filters import read_filters
from app.web.lists.params import ids

add_labels(delivery_labels=labels)
PAGE_OF["dashboard.delivery_rows"] = "dashboard.deliveries"


@blueprint.get("/deliveries", endpoint="deliveries")
@requires("deliveries:read")
def index() -> ResponseReturnValue:
    filters = read_filters(DELIVERIES)
    if tidy := filters.tidied():
        return tidy
    wanted, cursor = filters.to_filter(), request.args.get("cursor")
    page = render_template(
        "dashboard/deliveries/index.html",
        page=deliveries.list_page(db.session(), wanted, cursor=cursor),
        count=deliveries.counted(db.session(), wanted),
        counts=deliveries.counts(db.session()),
        filters=filters,
        is_first=not cursor,
        cursor=cursor,
    )
    return page, 422 if filters.is_wrong else 200


@blueprint.get("/deliveries/rows")
@requires("deliveries:read")
def delivery_rows() -> ResponseReturnValue:
    filters = read_filters(DELIVERIES)
    wanted = filters.to_filter()
    return render_template(
        "dashboard/deliveries/_rows.html",
        rows=deliveries.by_ids(db.session(), ids("ids"), wanted),
        count=deliveries.counted(db.session(), wanted),
    )


@blueprint.get("/deliveries/counts")
@requires("deliveries:read")
def delivery_counts() -> ResponseReturnValue:
    return render_template(
        "dashboard/deliveries/_counts.html", counts=deliveries.counts(db.session())
    )
