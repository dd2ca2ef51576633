"""What one person does, another sees: list, number and session page, no reload.

`SEEN_WITHIN_SECONDS`: how soon, asserted in `make proof` (1.5), where nothing else runs.
`LOST_SECONDS`: how long the connection is lost, 30 in `make proof`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Response, expect

from app.core import clock
from tests.browser.chat import open_widget
from tests.browser.signed_in import sign_in
from tests.browser.telling import Line, line
from tests.browser.test_sessions_list import change, come, make_sessions
from tests.web.signed_in import make_user

__all__ = ["line"]

SEEN_WITHIN_SECONDS = float(os.environ.get("SEEN_WITHIN_SECONDS", "inf"))
LOST_SECONDS = float(os.environ.get("LOST_SECONDS", "4"))


@dataclass
class Watcher:
    """Somebody with the list and a session's page open, over a line that can be cut."""

    list: Page
    session: Page
    #: When the other one's browser was last answered that it is done.
    done_at: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)

    def watch(self, context: BrowserContext) -> None:
        context.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.request.method == "POST":
            self.done_at = time.monotonic()

    def row(self, chat_id: str) -> Locator:
        return self.list.locator(f"#session-{chat_id}")

    def part(self, name: str) -> Locator:
        return self.session.locator(f"[data-part={name}]")

    def sees(self, what: str, *shown: Callable[[], None]) -> None:
        """All of it, counted from the moment the other one has been answered."""
        for each in shown:
            each()
        self.seconds[what] = time.monotonic() - self.done_at
        assert self.seconds[what] <= SEEN_WITHIN_SECONDS, what

    def counts(self, number: int) -> Callable[[], None]:
        count = self.list.locator("[data-part=count]")
        return lambda: expect(count).to_contain_text(f"{number} session")


def says(where: Locator, *words: str) -> Callable[[], None]:
    def check() -> None:
        for each in words:
            expect(where).to_contain_text(each)

    return check


def is_gone(where: Locator) -> Callable[[], None]:
    return lambda: expect(where).to_have_count(0)


def open_live(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    expect(page.locator("[data-live-state]")).to_have_attribute("data-is", "live")
    page.evaluate("window.wasNotReloaded = true")
    return page


@pytest.fixture
def chats(demo: str) -> list[str]:
    make_user("ann@example.com")
    make_user("bob@example.com")
    return make_sessions(4)


@pytest.fixture
def ann(new_context: Callable[..., BrowserContext], demo: str, chats: list[str]) -> Page:
    context = new_context()
    sign_in(context, demo, "ann@example.com")
    return open_live(context, f"{demo}/sessions/{chats[0]}")


@pytest.fixture
def bob(new_context: Callable[..., BrowserContext], line: Line, chats: list[str]) -> Watcher:
    context = new_context()
    sign_in(context, line.address, "bob@example.com")
    watched = f"{line.address}/sessions/{chats[0]}"
    return Watcher(open_live(context, f"{line.address}/sessions"), open_live(context, watched))


def test_what_one_does_the_other_sees(demo: str, chats: list[str], ann: Page, bob: Watcher) -> None:
    first, second, *_ = chats
    row = bob.row(first)
    bob.watch(ann.context)

    visitor = ann.context.new_page()
    visitor.goto(f"{demo}/demo")
    open_widget(visitor)
    new = bob.list.get_by_role("button", name="1 new session")
    bob.sees("new session", lambda: expect(new).to_be_visible(), bob.counts(5))

    ann.get_by_role("button", name="Mark as completed").click()
    shown = says(bob.part("moves"), "completed by hand")
    bob.sees("completion", says(row, "Completed"), shown)

    ann.locator("form[data-move=passed] > button").click()
    bob.sees("QA", says(row, "Passed"), says(bob.part("qa"), "Passed"))

    ann.get_by_text("Edit the lead").click()
    ann.get_by_label("Name", exact=True).fill("Zoë Quill")
    ann.locator("#lead-form").get_by_role("button", name="Save").click()
    bob.sees("lead", says(row, "Zoë Quill"), says(bob.part("lead"), "Zoë Quill"))

    ann.get_by_role("button", name="Archive").click()
    says_archived = says(bob.part("head"), "Zoë Quill", "Archived", "Completed")
    bob.sees("archive", is_gone(row), bob.counts(4), says_archived)

    ann.get_by_role("button", name="Bring back").click()
    back = bob.list.get_by_role("button", name="2 new sessions")
    bob.sees("bringing back", lambda: expect(back).to_be_visible(), bob.counts(5))
    assert bob.session.evaluate("window.wasNotReloaded")

    bob.session.goto(bob.session.url.replace(first, second))
    expect(bob.session.locator("[data-live-state]")).to_have_attribute("data-is", "live")
    ann.goto(f"{demo}/sessions/{second}/deletion")
    ann.get_by_role("button", name="Delete for good").click()
    lost = bob.session.get_by_text("There is no session with this id.")
    bob.sees(
        "deletion", is_gone(bob.row(second)), bob.counts(4), lambda: expect(lost).to_be_visible()
    )
    assert bob.list.evaluate("window.wasNotReloaded")
    print("\n".join(f"{what:<16}{lag:>6.2f} s" for what, lag in bob.seconds.items()))


def test_after_a_lost_connection_everything_is_right_again(
    chats: list[str], bob: Watcher, line: Line
) -> None:
    first, second, third, fourth = chats
    line.take_down()
    began = time.monotonic()
    for page in (bob.list, bob.session):
        expect(page.locator("[data-live-state]")).to_have_text("Reconnecting…")
    change(first, completion_status="completed", completed_at=clock.now())
    change(second, archive_status="archived")
    change(third, qa_status="issue")
    new = come(started_at=clock.now() + timedelta(seconds=1))
    change(fourth, archive_status="archived")
    change(fourth, archive_status="active")
    time.sleep(max(0.0, LOST_SECONDS - (time.monotonic() - began)))
    expect(bob.row(second)).to_be_visible()  # nobody could tell
    line.is_down = False

    expect(bob.row(second)).to_have_count(0)
    expect(bob.row(first)).to_contain_text("Completed")
    expect(bob.row(third)).to_contain_text("Issue")
    expect(bob.row(fourth)).to_be_visible()
    expect(bob.list.locator("[data-part=count]")).to_contain_text("4 sessions")
    expect(bob.list.get_by_role("button", name="1 new session")).to_be_visible()
    expect(bob.part("head")).to_contain_text("Completed")
    for page in (bob.list, bob.session):
        expect(page.locator("[data-live-state]")).to_have_text("Live")
        assert page.evaluate("window.wasNotReloaded")
    bob.list.keyboard.press("n")
    expect(bob.row(new)).to_be_visible()
