"""What the list of incidents can be filtered by."""

from __future__ import annotations

from dataclasses import replace

from app.models.incident import SOURCES
from app.reporting.incidents import IncidentFilter
from app.web.lists.fields import SITE, FilteredList, FilterField

INCIDENTS = FilteredList(
    "dashboard.incidents",
    IncidentFilter,
    (
        # Two tabs on the page; the API can ask for the resolved ones alone.
        FilterField(
            "show",
            "Show",
            "Open",
            {"all": "All"},
            argument="is_resolved",
            to_value={None: False, "all": None}.get,
            is_in_api=False,
        ),
        FilterField(
            "resolved", "Status", "All", {}, argument="is_resolved", type="flag", is_on_page=False
        ),
        FilterField("source", "Source", "Any source", {}, api_values=SOURCES, is_on_page=False),
        replace(SITE, is_on_page=False),
    ),
)
