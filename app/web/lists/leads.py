"""What the list of leads can be filtered by."""

from __future__ import annotations

import uuid

from flask import request

from app.core.db import db
from app.models.chat_session import COMPLETION_STATUSES
from app.reporting import leads
from app.reporting.lead_filter import CONTACTS, LeadFilter
from app.web.frame import labels
from app.web.lists.fields import SITE, FilteredList, FilterField, Options, flag, texts
from app.web.lists.params import read_ids


def _person() -> Options | None:
    """Everything of one person: offered where somebody asks for it."""
    asked = read_ids([request.args.get("person", "")])
    name = leads.name_of(db.session(), asked[0]) if asked else None
    return {str(asked[0]): name} if name is not None else None


LEADS = FilteredList(
    "dashboard.leads",
    LeadFilter,
    (
        FilterField(
            "person",
            "Person",
            "Everybody",
            _person,
            to_value=lambda value: uuid.UUID(value) if value else None,
        ),
        FilterField(
            "completion_status",
            "Booking",
            "Any booking",
            texts(labels.COMPLETION),
            api_values=COMPLETION_STATUSES,
        ),
        FilterField("delivery", "Deliveries", "Any delivery", texts(labels.LEAD_DELIVERY)),
        FilterField(
            "missing",
            "Details",
            "Complete or not",
            {
                "any": "Something is missing",
                "none": "Nothing is missing",
                **{key: f"{labels.CONTACT[key]} is missing" for key in CONTACTS},
            },
        ),
        SITE,
        flag("has_email", "E-mail", "With or without e-mail", yes="Has an e-mail", no="No e-mail"),
        flag(
            "has_phone",
            "Phone",
            "With or without phone",
            yes="Has a phone number",
            no="No phone number",
        ),
    ),
    period=("made_from", "made_to"),
    period_label="Came",
    search="words",
)
