"""The page of manual syncs in a real browser: live, in both themes, on a phone, without scripts."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.core.db import transaction
from app.models.run import MANUAL_SYNC
from app.runs import engine
from app.sync import manual, runs
from tests.browser.screens import assert_fine
from tests.browser.signed_in import sign_in
from tests.browser.test_dashboard import (
    Axe,
    NewContext,
    dashboard,
)
from tests.sync.manual_runs import (
    begin,
    conversations,
    let_time_pass,
    memory_table,
    sync,
    write,
)
from tests.sync.set_aside import set_aside
from tests.web.signed_in import make_user

__all__ = ["dashboard", "memory_table"]
pytestmark = pytest.mark.usefixtures("memory_table")


def a_run_half_way() -> uuid.UUID:
    """A run that is being done, of which a part is done."""
    run_id = begin()
    steps = iter([False, False, True])
    manual.work(run_id, lambda: next(steps))
    assert engine.claim(MANUAL_SYNC, run_id, uuid.uuid4())
    return run_id


def test_no_barrier_in_any_state(
    dashboard: Callable[..., Page],
    axe: Axe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manual, "BATCH_ROWS", 60)
    page = dashboard("/sync")

    def check(state: str) -> None:
        page.reload()
        page.wait_for_timeout(300)
        assert_fine(page, axe, f"sync_{state}")

    check("empty")
    conversations(100, promised=12)
    write(
        ("chat-with-a-very-long-name-" * 6, {"type": "strange", "content": "x" * 400}),
        ("chat-2", {"content": "no type"}),
    )
    sync()
    set_aside(60)
    run_id = a_run_half_way()
    check("running")
    let_time_pass(run_id)
    check("interrupted")
    with transaction() as session:
        runs.start(session, None)
    check("waiting")
    manual.work(run_id)
    check("done")


def test_a_running_sync_is_followed_without_a_reload(
    dashboard: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manual, "BATCH_ROWS", 20)
    conversations(50, promised=3)
    page = dashboard("/sync")
    expect(page.get_by_text("Nothing was synced by hand yet")).to_be_visible()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("button", name="Sync now")).to_be_disabled()
    page.evaluate("window.wasNotReloaded = true")
    with transaction() as session:
        run = runs.running(session)
    assert run is not None
    steps = iter([False, False, True])
    manual.work(run.id, lambda: next(steps))
    expect(page.get_by_text("Interrupted")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    manual.work(run.id)
    expect(page.locator("[data-part=run]")).to_have_attribute("data-state", "done")
    expect(page.locator("[data-part=run]").get_by_text("100", exact=True).first).to_be_visible()
    assert page.evaluate("window.wasNotReloaded")


def test_the_tables_are_drawn_again_when_it_ends(dashboard: Callable[..., Page]) -> None:
    conversations(5)
    page = dashboard("/sync")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("button", name="Sync now")).to_be_disabled()
    with transaction() as session:
        run = runs.running(session)
    assert run is not None
    manual.work(run.id)
    expect(page.get_by_text("read to row 10")).to_be_visible()


def test_without_javascript_it_is_a_form_and_a_reload_shows_it(
    new_context: NewContext, server: str
) -> None:
    make_user()
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page.context, server)
    page.goto(f"{server}/sync")
    page.get_by_role("link", name="Sync").click()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("Waiting", exact=True)).to_be_visible()
    with transaction() as session:
        run = runs.running(session)
    assert run is not None
    manual.work(run.id)
    page.reload()
    expect(page.get_by_text("Everything was looked at.")).to_be_visible()
