"""Every list's filters are declared once, and completely."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from app.models.chat_session import ARCHIVE_STATUSES, CHANNELS, COMPLETION_STATUSES, QA_STATUSES
from app.models.delivery import STATUSES
from app.models.user import VIEW_PAGES
from app.web.api.lists import query_schema
from app.web.lists.audit import AUDIT
from app.web.lists.deliveries import DELIVERIES
from app.web.lists.fields import FilteredList
from app.web.lists.incidents import INCIDENTS
from app.web.lists.leads import LEADS
from app.web.lists.reviews import REVIEWS
from app.web.lists.sessions import SESSIONS

LISTS = (SESSIONS, LEADS, DELIVERIES, INCIDENTS, AUDIT, REVIEWS)
#: Arguments that are no filters: the site of an API key, and the tab of the review queue.
NOT_CHOSEN = {"site_id", "own_site_id", "qa_status"}
RESERVED = {"q", "view", "period", "from", "to", "cursor", "limit", "ids", "endpoint", "tab"}

every_list = pytest.mark.parametrize("of", LISTS, ids=lambda of: of.endpoint)


@every_list
def test_every_argument_of_the_filter_is_declared_and_no_other(of: FilteredList[Any]) -> None:
    declared = {field.sets for field in of.fields} | {*(of.period or ()), of.search} - {""}
    arguments = {each.name for each in fields(of.filter)}  # type: ignore[arg-type]
    assert declared <= arguments
    assert arguments - declared <= NOT_CHOSEN


@every_list
def test_names_in_an_address_are_unique(of: FilteredList[Any]) -> None:
    for names in (
        [field.name for field in of.fields if field.is_on_page],
        [field.name for field in of.fields if field.is_in_api],
    ):
        assert len(names) == len(set(names))
        assert not RESERVED & set(names)


def test_every_status_can_be_chosen() -> None:
    expected = {
        ("dashboard.sessions", "completion_status"): COMPLETION_STATUSES,
        ("dashboard.sessions", "qa_status"): QA_STATUSES,
        ("dashboard.sessions", "channel"): CHANNELS,
        ("dashboard.leads", "completion_status"): COMPLETION_STATUSES,
        ("dashboard.deliveries", "status"): STATUSES,
    }
    declared = {(of.endpoint, field.name): field.options for of in LISTS for field in of.fields}
    assert {key: tuple(declared[key]) for key in expected} == expected  # type: ignore[arg-type]


def test_the_lists_with_saved_views_are_those_the_database_knows() -> None:
    assert {of.views for of in LISTS if of.views} <= set(VIEW_PAGES)


def test_the_api_s_query_follows_from_the_declaration() -> None:
    schema = query_schema(SESSIONS)
    assert {field.data_key or name for name, field in schema.load_fields.items()} == {
        "limit", "cursor", "from", "to", "q", "site", "channel", "completion_status",
        "archive_status", "qa_status", "has_contact", "assistant_engaged",
    }  # fmt: skip
    assert schema.load({"archive_status": ARCHIVE_STATUSES[0], "site": "any", "has_contact": "yes"})
    problems = schema.validate({"archive_status": "all", "has_contact": "maybe", "delivery": "x"})
    assert set(problems) == {"archive_status", "has_contact", "delivery"}
