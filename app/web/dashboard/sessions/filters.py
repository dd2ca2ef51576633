"""The filters of the list of sessions, as its address has them."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.db import db
from app.models.chat_session import ARCHIVE_STATUSES
from app.reporting import sites
from app.reporting.sessions import SessionFilter
from app.web.frame import labels
from app.web.frame.labels import Badge
from app.web.lists.filters import Filters, pick, pick_yes_no, read_view_id
from app.web.lists.params import search_query
from app.web.lists.periods import Period, read_period

#: Without a choice the list shows what is not archived.
SHOWN_BY_DEFAULT = "active"
ARCHIVES = {"archived": "Archived", "all": "Archived or not"}
DELIVERIES = {"arrived": "Arrived", "waiting": "Waiting", "problem": "Needs a look"}


def read_filters(endpoint: str = "dashboard.sessions") -> Filters:
    """What this request's address asks for; see `wanted`."""
    names = {site.key: site.name for site in sites.list_all(db.session())}
    return Filters(
        endpoint,
        (
            pick("completion_status", "Booking", "Any booking", _words(labels.COMPLETION)),
            pick("archive_status", "Archive", "Not archived", ARCHIVES),
            pick("qa_status", "Review", "Any review", _words(labels.QA)),
            pick("channel", "Through", "Any channel", _words(labels.CHANNEL), is_folded=True),
            pick("site", "Site", "Any site", names, is_folded=True),
            pick_yes_no(
                "has_contact",
                "Contact",
                "With or without contact",
                "Has an e-mail or phone",
                "No e-mail, no phone",
                is_folded=True,
            ),
            pick_yes_no(
                "assistant_engaged",
                "Assistant",
                "Answered or not",
                "The assistant answered",
                "No answer given",
                is_folded=True,
            ),
            pick("delivery", "Deliveries", "Any delivery", DELIVERIES, is_folded=True),
        ),
        read_period(),
        words=search_query(),
        view_id=read_view_id(),
    )


def wanted(filters: Filters) -> SessionFilter:
    """The sessions these filters are for."""
    chosen = {each.name: each for each in filters.choices}
    period = filters.period or Period()
    archive = chosen["archive_status"].value or SHOWN_BY_DEFAULT
    return SessionFilter(
        started_from=period.start,
        started_to=period.end,
        completion_status=chosen["completion_status"].value,
        archive_status=archive if archive in ARCHIVE_STATUSES else None,
        qa_status=chosen["qa_status"].value,
        channel=chosen["channel"].value,
        site_key=chosen["site"].value,
        has_contact=chosen["has_contact"].is_yes,
        assistant_engaged=chosen["assistant_engaged"].is_yes,
        delivery=chosen["delivery"].value,
        words=filters.words or None,
    )


def _words(badges: Mapping[str, Badge]) -> dict[str, str]:
    return {value: badge.text for value, badge in badges.items()}
