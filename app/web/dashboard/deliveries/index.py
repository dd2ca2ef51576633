"""`/deliveries`: the list of deliveries, and the counts of each destination."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import deliveries
from app.reporting.deliveries import DeliveryFilter
from app.web.dashboard.deliveries import labels
from app.web.dashboard.deliveries.labels import capitalized_name
from app.web.frame.addresses import PAGE_OF
from app.web.frame.blueprint import add_labels, blueprint
from app.web.guards import requires
from app.web.lists.filters import Filters, pick
from app.web.lists.params import ids
from app.web.lists.periods import Period, read_period

add_labels(delivery_labels=labels)
PAGE_OF["dashboard.delivery_rows"] = "dashboard.deliveries"


@blueprint.get("/deliveries", endpoint="deliveries")
@requires("deliveries:read")
def index() -> ResponseReturnValue:
    filters = read_filters()
    if tidy := filters.tidied():
        return tidy
    wanted, cursor = _wanted(filters), request.args.get("cursor")
    page = render_template(
        "dashboard/deliveries/index.html",
        page=deliveries.list_page(db.session(), wanted, cursor=cursor),
        count=deliveries.counted(db.session(), wanted),
        counts=deliveries.counts(db.session()),
        filters=filters,
        is_first=not cursor,
        cursor=cursor,
    )
    return page, 422 if filters.period and filters.period.errors else 200


@blueprint.get("/deliveries/rows")
@requires("deliveries:read")
def delivery_rows() -> ResponseReturnValue:
    filters = read_filters()
    wanted = _wanted(filters)
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


def read_filters() -> Filters:
    """What this request's address asks for."""
    found = deliveries.destinations(db.session())
    names = {each.key: capitalized_name(each.key) for each in found}
    states = {value: badge.text for value, badge in labels.STATUS.items()}
    return Filters(
        "dashboard.deliveries",
        (
            pick("destination", "To", "Everywhere", names),
            pick("status", "State", "In any state", states),
        ),
        read_period(),
        period_label="Made",
    )


def _wanted(filters: Filters) -> DeliveryFilter:
    chosen = {each.name: each.value for each in filters.choices}
    period = filters.period or Period()
    return DeliveryFilter(
        status=chosen["status"],
        destination=chosen["destination"],
        made_from=period.start,
        made_to=period.end,
    )
