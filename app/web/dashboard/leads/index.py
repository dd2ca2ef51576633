"""`/leads`: the people who want to be called back, each once, with all they came for."""

from __future__ import annotations

import uuid

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import leads, search, sites
from app.reporting.lead_filter import CONTACTS, LeadFilter
from app.web.frame import labels
from app.web.frame.blueprint import blueprint
from app.web.frame.html import marked
from app.web.frame.labels import Badge
from app.web.guards import requires
from app.web.lists.filters import Choice, Filters, pick, pick_yes_no
from app.web.lists.params import ids, read_ids, search_query
from app.web.lists.periods import Period, read_period

DELIVERY = {
    "arrived": Badge("circle-check", "Arrived", "green"),
    "waiting": Badge("clock", "Waiting", "blue"),
    "problem": Badge("circle-exclamation", "Needs a look", "red"),
    None: Badge("circle-minus", "Not sent yet", "grey"),
}
MISSING = {
    "any": "Something is missing",
    "none": "Nothing is missing",
    **{key: f"{labels.CONTACT[key]} is missing" for key in CONTACTS},
}


@blueprint.get("/leads", endpoint="leads")
@requires("leads:read")
def index() -> ResponseReturnValue:
    filters = read_filters()
    if tidy := filters.tidied():
        return tidy
    wanted, cursor = _wanted(filters), request.args.get("cursor")
    is_wrong = bool(filters.period and filters.period.errors)
    page = render_template(
        "dashboard/leads/index.html",
        page=leads.list_page(db.session(), wanted, cursor=cursor),
        is_first=not cursor,
        cursor=cursor,
        **_about(filters, wanted),
    )
    return page, 422 if is_wrong else 200


@blueprint.get("/leads/rows")
@requires("leads:read")
def lead_rows() -> ResponseReturnValue:
    """By the ids of sessions: a row is drawn anew when any lead of its person changes."""
    filters = read_filters()
    wanted = _wanted(filters)
    rows = leads.by_sessions(db.session(), ids("ids"), wanted)
    return render_template("dashboard/leads/_rows.html", rows=rows, **_about(filters, wanted))


def read_filters() -> Filters:
    """What this request's address asks for."""
    names = {site.key: site.name for site in sites.list_all(db.session())}
    completion = {value: badge.text for value, badge in labels.COMPLETION.items()}
    deliveries = {value: badge.text for value, badge in DELIVERY.items() if value}
    return Filters(
        "dashboard.leads",
        (
            *_person(),
            pick("completion_status", "Booking", "Any booking", completion),
            pick("delivery", "Deliveries", "Any delivery", deliveries),
            pick("missing", "Details", "Complete or not", MISSING),
            pick("site", "Site", "Any site", names, is_folded=True),
            pick_yes_no(
                "has_email", "E-mail", "With or without e-mail", "Has an e-mail", "No e-mail",
                is_folded=True,
            ),
            pick_yes_no(
                "has_phone", "Phone", "With or without phone", "Has a phone number",
                "No phone number", is_folded=True,
            ),
        ),
        read_period(),
        period_label="Came",
        words=search_query(),
    )  # fmt: skip


def _person() -> tuple[Choice, ...]:
    """Everything of one person: offered where somebody asked for it."""
    asked = read_ids([request.args.get("person", "")])
    name = leads.name_of(db.session(), asked[0]) if asked else None
    if name is None:
        return ()
    return (pick("person", "Person", "Everybody", {str(asked[0]): name}),)


def _wanted(filters: Filters) -> LeadFilter:
    chosen = {each.name: each for each in filters.choices}
    period = filters.period or Period()
    person = chosen["person"].value if "person" in chosen else None
    return LeadFilter(
        made_from=period.start,
        made_to=period.end,
        site_key=chosen["site"].value,
        completion_status=chosen["completion_status"].value,
        missing=chosen["missing"].value,
        has_email=chosen["has_email"].is_yes,
        has_phone=chosen["has_phone"].is_yes,
        delivery=chosen["delivery"].value,
        words=filters.words or None,
        person=uuid.UUID(person) if person else None,
    )


def _about(filters: Filters, wanted: LeadFilter) -> dict[str, object]:
    """What page and rows are both drawn with."""
    return {
        "filters": filters,
        "count": leads.counted(db.session(), wanted),
        "deliveries": DELIVERY,
        "found": lambda value: marked(search.lead_marks(value, wanted.words)),
        "is_one_person": wanted.person is not None,
    }
