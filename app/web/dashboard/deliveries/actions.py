"""What people do with deliveries: send them again, resume a paused destination, test it."""

from __future__ import annotations

import uuid

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.delivery import health, repeat
from app.reporting import deliveries
from app.web.audit import note
from app.web.dashboard.deliveries import labels
from app.web.frame.addresses import local_path
from app.web.frame.blueprint import blueprint
from app.web.frame.labels import capitalized_name, destination_name
from app.web.guards import requires
from app.web.identity import current_identity
from app.web.lists.params import read_ids


@blueprint.post("/deliveries/<uuid:delivery_id>/attempts")
@requires("deliveries:write")
def send_again(delivery_id: uuid.UUID) -> ResponseReturnValue:
    deliveries.one(db.session(), delivery_id)
    with transaction() as session:
        repeated = repeat.send_again(session, [delivery_id])
        if repeated:
            note(session, "delivery.sent_again", "delivery", delivery_id)
        waits = labels.waits_for(repeat.paused(session, repeated))
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
        waits = labels.waits_for(repeat.paused(session, repeated))
    flash(labels.all_sent_again(key, len(repeated)) + waits)
    return _back()


def _send_chosen_again() -> ResponseReturnValue:
    asked = set(read_ids(request.form.getlist("ids")))
    with transaction() as session:
        repeated = repeat.send_chosen_again(session, asked)
        for delivery_id in repeated.ids:
            note(session, "delivery.sent_again", "delivery", delivery_id)
        waits = labels.waits_for(repeat.paused(session, repeated.ids))
    flash(labels.sent_again(len(repeated.ids), repeated.left_out) + waits)
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
    name = destination_name(key)
    flash(f"A test is on its way to {name}. What becomes of it is shown below.")
    return redirect(url_for("dashboard.deliveries"))


def _back() -> ResponseReturnValue:
    return redirect(local_path(request.form.get("back")))
