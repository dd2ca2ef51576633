"""`/deliveries`: the list, "Send again", and a paused destination's "Resume" and test."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.delivery import health, repeat
from app.models.delivery import STATUSES
from app.reporting import deliveries
from app.reporting.deliveries import DeliveryFilter
from app.web.auth.views import local_path
from app.web.dashboard.blueprint import blueprint
from app.web.dashboard.delivery_words import destination_name
from app.web.dashboard.queries import choice, ids
from app.web.dashboard.words import capitalize_first
from app.web.guards import requires
from app.web.identity import current_identity


@blueprint.get("/deliveries", endpoint="deliveries")
@requires("deliveries:read")
def index() -> ResponseReturnValue:
    destinations = deliveries.destinations(db.session())
    wanted, cursor = _wanted([d.key for d in destinations]), request.args.get("cursor")
    return render_template(
        "deliveries/index.html",
        page=deliveries.list_page(db.session(), wanted, cursor=cursor),
        wanted=wanted,
        destinations=destinations,
        is_first=not cursor,
    )


@blueprint.get("/deliveries/rows")
@requires("deliveries:read")
def delivery_rows() -> ResponseReturnValue:
    wanted = _wanted([d.key for d in deliveries.destinations(db.session())])
    rows = deliveries.by_ids(db.session(), ids("ids"), wanted)
    return render_template("deliveries/_rows.html", rows=rows, wanted=wanted)


@blueprint.post("/deliveries/<uuid:delivery_id>/attempts")
@requires("deliveries:write")
def send_again(delivery_id: uuid.UUID) -> ResponseReturnValue:
    deliveries.one(db.session(), delivery_id)
    with transaction() as session:
        repeated = repeat.send_again(session, [delivery_id])
    flash(
        "It is being sent again."
        if repeated
        else "Nothing was done: it has been sent, or is on its way already."
    )
    return _back()


@blueprint.post("/deliveries/attempts")
@requires("deliveries:write")
def send_all_again() -> ResponseReturnValue:
    key = request.form.get("destination", "")
    with transaction() as session:
        repeated = repeat.send_all_again(session, deliveries.destination(session, key).key)
    flash(f"{len(repeated)} being sent to {destination_name(key)} again.")
    return _back()


@blueprint.post("/destinations/<path:key>/resumption")
@requires("destinations:write")
def resume(key: str) -> ResponseReturnValue:
    with transaction() as session:
        health.resume(session, deliveries.destination(session, key).key)
    name = capitalize_first(destination_name(key))
    flash(f"{name} is resumed. What was waiting is on its way.")
    return redirect(url_for("dashboard.deliveries"))


@blueprint.post("/destinations/<path:key>/test")
@requires("destinations:write")
def test(key: str) -> ResponseReturnValue:
    with transaction() as session:
        asked_by = identity.email if (identity := current_identity()) else ""
        repeat.send_test(session, deliveries.destination(session, key).key, asked_by)
    flash(f"A test is on its way to {destination_name(key)}. What becomes of it is shown below.")
    return redirect(url_for("dashboard.deliveries"))


def _wanted(keys: list[str]) -> DeliveryFilter:
    return DeliveryFilter(
        status=choice("status", STATUSES), destination=choice("destination", keys)
    )


def _back() -> ResponseReturnValue:
    return redirect(local_path(request.form.get("back")))
