"""What the list of sessions can be filtered by."""

from __future__ import annotations

from app.models.chat_session import ARCHIVE_STATUSES, CHANNELS, COMPLETION_STATUSES, QA_STATUSES
from app.reporting.session_filter import SessionFilter
from app.web.frame import labels
from app.web.lists.fields import SITE, FilteredList, FilterField, flag, texts

SESSIONS = FilteredList(
    "dashboard.sessions",
    SessionFilter,
    (
        FilterField(
            "completion_status",
            "Booking",
            "Any booking",
            texts(labels.COMPLETION),
            api_values=COMPLETION_STATUSES,
        ),
        FilterField(
            "archive_status",
            "Archive",
            "Not archived",
            {"archived": "Archived", "all": "Archived or not"},
            to_value={None: "active", "archived": "archived", "all": None}.get,
            api_values=ARCHIVE_STATUSES,
        ),
        FilterField("qa_status", "Review", "Any review", texts(labels.QA), api_values=QA_STATUSES),
        FilterField(
            "channel",
            "Through",
            "Any channel",
            texts(labels.CHANNEL),
            api_values=CHANNELS,
            is_folded=True,
        ),
        SITE,
        flag(
            "has_contact",
            "Contact",
            "With or without contact",
            yes="Has an e-mail or phone",
            no="No e-mail, no phone",
        ),
        flag(
            "assistant_engaged",
            "Assistant",
            "Answered or not",
            yes="The assistant answered",
            no="No answer given",
        ),
        FilterField(
            "delivery",
            "Deliveries",
            "Any delivery",
            texts(labels.LEAD_DELIVERY),
            is_folded=True,
            is_in_api=False,
        ),
    ),
    period=("started_from", "started_to"),
    period_label="Started",
    search="words",
    views="sessions",
)
