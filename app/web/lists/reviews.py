"""What the review queue can be filtered by."""

from __future__ import annotations

from dataclasses import replace

from app.reporting.qa_queue import Queue
from app.web.lists.fields import SITE, FilteredList, FilterField

REVIEWS = FilteredList(
    "qa.index",
    Queue,
    (
        replace(SITE, argument="site", is_folded=False),
        FilterField(
            "completed",
            "Booking",
            "Any booking",
            {"yes": "Completed"},
            argument="is_completed",
            to_value={None: False, "yes": True}.get,
        ),
    ),
)
