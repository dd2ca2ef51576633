"""`/deliveries/<id>`: one delivery with all its tries, and what it says."""

from __future__ import annotations

import uuid

from flask import render_template
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.reporting import deliveries
from app.web.audit import note
from app.web.dashboard.deliveries.payload import payload
from app.web.frame.addresses import PAGE_OF
from app.web.frame.blueprint import blueprint
from app.web.guards import requires

PAGE_OF["dashboard.delivery_personal"] = "dashboard.delivery"


@blueprint.get("/deliveries/<uuid:delivery_id>")
@requires("deliveries:read")
def delivery(delivery_id: uuid.UUID) -> ResponseReturnValue:
    return _draw("dashboard/deliveries/show.html", delivery_id)


@blueprint.get("/deliveries/<uuid:delivery_id>/live")
@requires("deliveries:read")
def delivery_live(delivery_id: uuid.UUID) -> ResponseReturnValue:
    return _draw("dashboard/deliveries/_delivery.html", delivery_id)


@blueprint.post("/deliveries/<uuid:delivery_id>/personal-details")
@requires("deliveries:read")
def delivery_personal(delivery_id: uuid.UUID) -> ResponseReturnValue:
    """The page with everything that was sent. By POST, so that no address gives it away; noted."""
    deliveries.one(db.session(), delivery_id)
    with transaction() as session:
        note(session, "delivery.personal_shown", "delivery", delivery_id)
    return _draw("dashboard/deliveries/show.html", delivery_id, is_open=True)


def _draw(template: str, delivery_id: uuid.UUID, *, is_open: bool = False) -> str:
    database = db.session()
    row = deliveries.one(database, delivery_id)
    body = deliveries.body_of(database, delivery_id)
    return render_template(
        template,
        row=row,
        attempts=deliveries.attempts_of(database, delivery_id),
        payload=payload(row.delivery.event, body, is_open=is_open),
        is_open=is_open,
    )
