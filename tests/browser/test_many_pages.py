"""One person with more pages in sight than the server streams to."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from app.core import events
from app.core.db import transaction
from app.core.live import MOST_OF_ONE_OWNER
from tests.browser.live import caught_up
from tests.browser.signed_in import sign_in
from tests.factories import make_chat
from tests.web.signed_in import make_user

NewContext = Callable[..., BrowserContext]
SOON = "window.setTimeout = ((set) => (run, ms, ...rest) => set(run, ms / 10, ...rest))(setTimeout)"


def visit(new_context: NewContext, server: str) -> Page:
    """A browser of its own: browsers open six connections to a host, for all tabs together."""
    page = new_context().new_page()
    page.add_init_script(SOON)
    sign_in(page.context, server)
    page.goto(f"{server}/sessions")
    caught_up(page)
    return page


def come() -> None:
    with transaction() as session:
        events.announce(session, "sessions", make_chat(session).id)


def all_count(pages: list[Page], count: str) -> None:
    for page in pages:
        expect(page.locator("[data-part=count]")).to_contain_text(count)


def test_the_oldest_page_asks_instead_and_is_live_again_once_used(
    new_context: NewContext, server: str
) -> None:
    make_user()
    first = visit(new_context, server)
    others = [visit(new_context, server) for _ in range(MOST_OF_ONE_OWNER)]
    state = first.locator("[data-live-state]")
    expect(state).to_have_text("Updated every 15 s")
    come()
    all_count([first, *others], "1 session")
    first.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(state).to_have_text("Live")
    expect(others[0].locator("[data-live-state]")).to_have_text("Updated every 15 s")
    come()
    all_count([first, *others], "2 sessions")
