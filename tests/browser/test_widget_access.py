"""For everybody: keyboard, screen reader, contrast, zoom, phone; and light to load."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Frame, Page, expect
from sqlalchemy import select

from app.core.db import transaction
from app.models import Site
from tests.browser.chat import FRAME, Chat, chat_frame, launcher, open_widget

NewContext = Callable[..., BrowserContext]
Axe = Callable[[Page | Frame], list[str]]
KILOBYTE = 1024


def test_everything_can_be_done_by_keyboard(page: Page, demo: str) -> None:
    page.goto(f"{demo}/demo")
    expect(launcher(page)).to_be_visible()
    launcher(page).focus()
    page.keyboard.press("Enter")
    chat = Chat(page.frame_locator(FRAME)).greeted()
    expect(chat.field).to_be_focused()
    page.keyboard.type("Ann Lee")
    page.keyboard.press("Enter")
    expect(chat.choices).to_have_count(4)
    expect(chat.field).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(chat.choices.last).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(chat.mine.last).to_have_text("Whole house")
    expect(chat.field).to_be_focused()
    expect(chat.field).to_have_attribute("inputmode", "email")
    page.keyboard.press("Escape")
    expect(page.locator(FRAME)).to_be_hidden()
    expect(launcher(page)).to_be_focused()
    expect(launcher(page)).to_have_attribute("aria-expanded", "false")


def test_shift_enter_makes_a_new_line_and_a_long_text_is_counted(page: Page, demo: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    chat.say("Ann Lee")
    expect(chat.choices).to_have_count(4)
    chat.field.press_sequentially("one")
    chat.field.press("Shift+Enter")
    chat.field.press_sequentially("two")
    expect(chat.field).to_have_value("one\ntwo")
    chat.field.fill("🏠" * 3990)
    expect(page.locator(".counter")).to_have_text("10 characters left")
    expect(chat.send_button).to_be_enabled()
    chat.field.fill("🏠" * 4001)
    expect(page.locator("#hint")).to_contain_text("1 characters too many")
    expect(chat.send_button).to_be_disabled()


def test_an_unlikely_address_gets_a_hint_and_is_not_held_back(page: Page, demo: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    chat.say("Ann Lee")
    chat.choose("Kitchen")
    expect(chat.field).to_have_attribute("inputmode", "email")
    chat.field.fill("ann@exam")
    expect(page.locator("#hint")).to_contain_text("ann@example.com")
    chat.field.fill("ann@example.org")
    expect(page.locator("#hint")).to_have_text("Looks right")
    chat.field.fill("I would rather not say")
    expect(page.locator("#hint")).to_have_text("")
    expect(chat.send_button).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("colour", ["#1f6f5c", "#ffd400", "#101014", "#ffffff"])
def test_axe_finds_nothing(
    new_context: NewContext, demo: str, axe: Axe, scheme: str, colour: str
) -> None:
    with transaction() as session:
        session.scalars(select(Site)).one().colour = colour
    # Without motion nothing is measured half faded in.
    page = new_context(color_scheme=scheme, reduced_motion="reduce").new_page()
    page.goto(f"{demo}/demo")
    expect(launcher(page)).to_be_visible()
    assert axe(page) == []
    chat = open_widget(page)
    chat.say("Ann Lee")
    expect(chat.choices).to_have_count(4)
    assert axe(chat_frame(page)) == []
    page.route("**/messages", lambda route: route.abort())
    chat.field.fill("Kitchen")
    chat.field.press("Enter")
    expect(chat.state).to_contain_text("Not sent yet")
    chat.where.get_by_role("button", name="Start over").click()
    assert axe(chat_frame(page)) == []
    assert axe(page) == []


def test_a_phone_shows_it_on_the_whole_screen(new_context: NewContext, demo: str) -> None:
    page = new_context(viewport={"width": 390, "height": 780}, has_touch=True).new_page()
    page.goto(f"{demo}/demo")
    chat = open_widget(page)
    box = page.locator(FRAME).bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 780}
    expect(launcher(page)).to_be_hidden()
    chat.where.get_by_role("button", name="Close chat").click()
    expect(launcher(page)).to_be_visible()


@pytest.mark.parametrize("width", [320, 195])
def test_zoomed_in_nothing_is_cut_off(new_context: NewContext, demo: str, width: int) -> None:
    """640 pixels at 200 % and a phone's 390 at 200 % leave this many."""
    page = new_context(viewport={"width": width, "height": 420}).new_page()
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    chat.say("Ann Lee")
    expect(chat.choices).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for part in (chat.field, chat.choices.last, page.get_by_role("button", name="Start over")):
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_all_the_frame_loads_before_the_greeting_is_small(page: Page, demo: str) -> None:
    loaded = _count_bytes(page)
    page.goto(f"{demo}/widget/demo")
    Chat(page).greeted()
    sizes = loaded()
    print(f"\nbefore the greeting: {len(sizes)} requests, {sum(sizes.values())} bytes: {sizes}")
    assert len(sizes) <= 4
    assert sum(sizes.values()) <= 40 * KILOBYTE


def _count_bytes(page: Page) -> Callable[[], dict[str, int]]:
    """Bytes on the wire by address, headers included, as the browser counted them."""
    session: CDPSession = page.context.new_cdp_session(page)
    session.send("Network.enable")
    addresses: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def sent(event: dict[str, object]) -> None:
        request = event["request"]
        assert isinstance(request, dict)
        if request["url"].startswith("http"):
            addresses[str(event["requestId"])] = request["url"]
            sizes[request["url"]] = 0

    def finished(event: dict[str, object]) -> None:
        if address := addresses.get(str(event["requestId"])):
            sizes[address] = int(str(event["encodedDataLength"]).split(".")[0])

    session.on("Network.requestWillBeSent", sent)
    session.on("Network.loadingFinished", finished)
    return lambda: dict(sizes)
