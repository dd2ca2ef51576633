"""How a site's assistant is doing, and whether our own questions stand in for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.chat.assistant_state import day_of
from app.core import clock
from app.core.db import transaction
from app.models import AssistantDay, AssistantHealth, Site
from tests.assistants.stand import Stand
from tests.factories import make_site
from tests.reporting.queries import counted
from tests.web.assistant_page import (
    PAGE,
    save,
    site,
    stand,
)
from tests.web.pages import said
from tests.web.signed_in import make_user, sign_in

__all__ = ["site", "stand"]
pytestmark = pytest.mark.usefixtures("database")


def test_numbers_are_shown_against_the_caps(admin: FlaskClient, site: Site, stand: Stand) -> None:
    save(admin, assistant="openai", day_money="2")
    assert "No answer was asked for." in admin.get(PAGE).text
    with transaction() as session:
        today = day_of(site.profile(), clock.now())
        values = {"turns": 4, "answered": 3, "failed": {"too_slow": 1}, "first_word_ms": 1200}
        values |= {"whole_ms": 4500, "tokens": 12_000, "cost_micros": 31_000}
        for days_ago in (0, 1):
            day = today - timedelta(days=days_ago)
            session.add(AssistantDay(site_id=site.id, day=day, assistant="openai", **values))
    words = said(admin.get(PAGE))
    assert "Answers asked for 4 Answered 75 % First word 400 ms Whole answer 1.5 s" in words
    assert "Tokens 12,000 Cost $0.03" in words
    assert "Tokens 24,000 Cost $0.06" in words
    assert "did not begin to answer in time (2×)" in words
    assert "12,000 of 5,000,000 tokens" in words
    assert "$0.03 of $2.00" in words


def rest(site: Site) -> None:
    with transaction() as session:
        session.merge(site).assistant = "openai"
        session.add(
            AssistantHealth(
                site_id=site.id, assistant="openai", failures=3, last_kind="too_slow",
                failing_since=clock.now() - timedelta(minutes=12), last_failed_at=clock.now(),
                resting_until=clock.now() + timedelta(seconds=30),
            )
        )  # fmt: skip


def test_a_site_on_the_fallback_is_named_everywhere_with_since_when(
    admin: FlaskClient, app: Flask, site: Site, stand: Stand
) -> None:
    rest(site)
    for path in ("/sessions", "/deliveries", "/notices", "/sites", "/sites/harbour", PAGE):
        words = said(admin.get(path))
        assert "Harbour is answered with our own questions." in words, path
        assert "The language model did not begin to answer in time." in words, path
        assert "This began 12 min ago" in words, path
    assert "Failing, began 12 min ago" in said(admin.get("/sites"))
    for path in ("/sites/harbour", PAGE):
        assert "Our own questions stand in" in said(admin.get(path)), path
    make_user("bob@example.com", role="agent")
    agent = app.test_client()
    sign_in(agent, email="bob@example.com")
    page = agent.get("/sessions")
    assert "please tell an admin" in page.text
    assert PAGE not in page.text


def test_many_sites_on_the_fallback_are_one_notice(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    stand.is_ready = False
    with transaction() as session:
        session.merge(site).assistant = "openai"
        for number in range(7):
            make_site(session, name=f"Site {number}", assistant="openai")
    words = said(admin.get("/sessions"))
    assert "8 sites are answered with our own questions." in words
    assert "Harbour : The language model is chosen but not set up yet." in words
    assert "Site 3 : The language model" in words
    assert "Site 4 : The language model" not in words
    assert "And 3 more" in words


def test_no_notice_when_all_is_well(admin: FlaskClient, site: Site, stand: Stand) -> None:
    save(admin, assistant="openai")
    assert "our own questions" not in said(admin.get("/sessions")).lower()
    assert "status-green" in admin.get("/sites/harbour").text


def test_lists_take_no_query_more_for_sites_on_the_fallback(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    def queries(path: str) -> int:
        with counted() as seen:
            admin.get(path)
        return len(seen)

    before = [queries(path) for path in ("/sessions", "/sites")]
    rest(site)
    assert [queries(path) for path in ("/sessions", "/sites")] == before
    assert max(before) <= 8
