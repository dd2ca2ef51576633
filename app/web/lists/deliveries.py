"""What the list of deliveries can be filtered by."""

from __future__ import annotations

from app.core.db import db
from app.models.delivery import STATUSES
from app.reporting import deliveries
from app.reporting.deliveries import DeliveryFilter
from app.web.frame import labels
from app.web.lists.fields import FilteredList, FilterField, Options, texts


def _destinations() -> Options:
    found = deliveries.destinations(db.session())
    return {each.key: labels.capitalized_name(each.key) for each in found}


DELIVERIES = FilteredList(
    "dashboard.deliveries",
    DeliveryFilter,
    (
        FilterField("destination", "To", "Everywhere", _destinations),
        FilterField("status", "State", "In any state", texts(labels.DELIVERY), api_values=STATUSES),
    ),
    period=("made_from", "made_to"),
    period_label="Made",
)
