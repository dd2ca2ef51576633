"""When a page that stays up to date can be left to itself."""

from __future__ import annotations

from playwright.sync_api import Page, expect

_HAS_ASKED = """() => {
    const asked = performance.getEntriesByType("resource").map((entry) => entry.name);
    const kept = document.querySelectorAll(
        "[data-controller=list], [data-controller=parts], [data-controller=session]");
    return [...kept].every(({ dataset: { page, live } }) =>
        asked.includes(new URL(page ?? live, location.href).href));
}"""


def caught_up(page: Page) -> None:
    """Once it is live, and what it asks for when it comes to life has been answered: an answer that
    is still on its way would bring what changes next.
    """
    expect(page.locator("[data-live-state]")).to_have_attribute("data-is", "live")
    page.wait_for_function(_HAS_ASKED)
