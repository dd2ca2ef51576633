"""`/deliveries`: the list, "Send again", and a paused destination's "Resume" and test."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.delivery import health, repeat
from app.reporting import deliveries
from app.reporting.deliveries import DeliveryFilter
from app.web.audit import note
from app.web.dashboard.deliveries import labels as delivery_labels
from app.web.dashboard.deliveries.labels import capitalized_name, destination_name
from app.web.frame.addresses import PAGE_OF, local_path
from app.web.frame.blueprint import add_labels, blueprint
from app.web.guards import requires
from app.web.identity import current_identity
from app.web.lists.filters import Filters, pick
from app.web.lists.params import ids, read_ids
from app.web.lists.periods import Period, read_period

add_labels(delivery_labels=delivery_labels)
PAGE_OF["dashboard.delivery_rows"] = "dashboard.deliveries"
PAGE_OF["dashboard.delivery_personal"] = "dashboard.delivery"


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


@blueprint.post("/deliveries/<uuid:delivery_id>/attempts")
@requires("deliveries:write")
def send_again(delivery_id: uuid.UUID) -> ResponseReturnValue:
    deliveries.one(db.session(), delivery_id)
    with transaction() as session:
        repeated = repeat.send_again(session, [delivery_id])
        if repeated:
            note(session, "delivery.sent_again", "delivery", delivery_id)
        waits = delivery_labels.waits_for(repeat.paused(session, repeated))
    flash(
        (waits.strip() or "It is being sent again.")
        if repeated
        else "Nothing was done: it has been sent, or is on its way already."
    )
    return _back()


@blueprint.post("/deliveries/attempts")
@requires("deliveries:write")
def send_all_again() -> ResponseReturnValue:
    """All that were given up at `destination`, or those of `ids` that were ticked."""
    if "destination" not in request.form:
        return _send_chosen_again()
    key = request.form["destination"]
    with transaction() as session:
        repeated = repeat.send_all_again(session, deliveries.destination(session, key).key)
        if repeated:
            note(session, "deliveries.sent_again", "destination", key, count=len(repeated))
        waits = delivery_labels.waits_for(repeat.paused(session, repeated))
    flash(delivery_labels.all_sent_again(key, len(repeated)) + waits)
    return _back()


def _send_chosen_again() -> ResponseReturnValue:
    asked = set(read_ids(request.form.getlist("ids")))
    with transaction() as session:
        repeated = repeat.send_chosen_again(session, asked)
        for delivery_id in repeated.ids:
            note(session, "delivery.sent_again", "delivery", delivery_id)
        waits = delivery_labels.waits_for(repeat.paused(session, repeated.ids))
    flash(delivery_labels.sent_again(len(repeated.ids), repeated.left_out) + waits)
    return _back()


@blueprint.post("/destinations/<path:key>/resumption")
@requires("destinations:write")
def resume(key: str) -> ResponseReturnValue:
    with transaction() as session:
        health.resume(session, deliveries.destination(session, key).key)
        note(session, "destination.resumed", "destination", key)
    flash(f"{capitalized_name(key)} is resumed. What was waiting is on its way.")
    return redirect(url_for("dashboard.deliveries"))


@blueprint.post("/destinations/<path:key>/test")
@requires("destinations:write")
def test(key: str) -> ResponseReturnValue:
    with transaction() as session:
        asked_by = identity.email if (identity := current_identity()) else ""
        repeat.send_test(session, deliveries.destination(session, key).key, asked_by)
        note(session, "destination.tested", "destination", key)
    flash(f"A test is on its way to {destination_name(key)}. What becomes of it is shown below.")
    return redirect(url_for("dashboard.deliveries"))


def read_filters() -> Filters:
    """What this request's address asks for."""
    found = deliveries.destinations(db.session())
    names = {each.key: capitalized_name(each.key) for each in found}
    states = {value: badge.text for value, badge in delivery_labels.STATUS.items()}
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


def _back() -> ResponseReturnValue:
    return redirect(local_path(request.form.get("back")))
