"""The loader on somebody else's page: another origin, blocked storage, a frame that fails."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from app.core.db import db, transaction
from app.models import ChatSession, Message, Site
from tests.browser.chat import FRAME, Chat, launcher, open_widget

HostPage = Callable[[str], str]
BLOCK_STORAGE = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("blocked", "SecurityError"); },
});
"""


def host_html(server: str, more: str = "") -> str:
    return (
        "<!doctype html><html lang=en><title>A customer's page</title>"
        "<style>* { color: red; font-size: 40px } button, div { display: none !important }</style>"
        f'<script src="{server}/embed.js" data-site="demo" async></script>{more}'
        "<a id=corner href='#clicked' "
        "style='position:fixed;right:0;bottom:100px;padding:99px'>x</a>"
    )


def test_on_another_origin_the_first_visit_is_handed_over(
    page: Page, demo: str, host_page: HostPage
) -> None:
    address = host_page(host_html(demo))
    page.goto(f"{address}?gclid=first&utm_source=ad", referer="https://search.example/")
    expect(launcher(page)).to_be_visible()
    page.goto(f"{address}?page=two")
    chat = open_widget(page)
    chat.say("Ann Lee")
    stored = db.session.scalars(select(ChatSession)).one()
    assert stored.attribution["gclid"] == "first"
    assert stored.attribution["utm_source"] == "ad"
    assert stored.page_title == "A customer's page"


def test_with_blocked_storage_the_chat_works_in_memory(
    new_context: Callable[..., BrowserContext], demo: str, host_page: HostPage
) -> None:
    context = new_context()
    context.add_init_script(BLOCK_STORAGE)
    page = context.new_page()
    page.goto(host_page(host_html(demo)))
    chat = open_widget(page)
    chat.say("Ann Lee")
    chat.choose("Kitchen")
    expect(chat.mine).to_have_text(["Ann Lee", "Kitchen"])


def test_included_twice_it_draws_one_launcher(page: Page, demo: str, host_page: HostPage) -> None:
    again = f'<script src="{demo}/embed.js" data-site="demo" async></script>'
    page.goto(host_page(host_html(demo, again)))
    expect(launcher(page)).to_be_visible()
    page.wait_for_timeout(300)
    expect(page.locator("p5-chat")).to_have_count(1)


def test_the_chat_is_loaded_only_when_it_is_wanted(
    page: Page, demo: str, host_page: HostPage
) -> None:
    page.goto(host_page(host_html(demo)))
    expect(launcher(page)).to_have_accessible_name("Plan your project")
    assert page.locator(FRAME).count() == 0
    assert db.session.query(ChatSession).count() == 0


def test_a_frame_that_fails_never_covers_the_page(
    page: Page, demo: str, host_page: HostPage
) -> None:
    page.goto(host_page(host_html(demo)))
    expect(launcher(page)).to_be_visible()
    page.route("**/widget/demo", lambda route: route.fulfill(status=502, body="Bad gateway"))
    launcher(page).click()
    expect(page.locator(FRAME)).to_be_attached()
    page.locator("#corner").click(position={"x": 20, "y": 20})  # where the chat would stand
    assert page.url.endswith("#clicked")
    note = page.locator("p5-chat .note")
    expect(note).to_contain_text("could not be loaded")
    expect(page.locator(FRAME)).to_have_count(0)
    page.unroute("**/widget/demo")
    note.get_by_role("button", name="Try again").click()
    chat = Chat(page.frame_locator(FRAME)).greeted()
    expect(note).to_have_count(0)
    expect(chat.field).to_be_focused()


def test_an_unknown_site_draws_nothing(page: Page, demo: str, host_page: HostPage) -> None:
    with page.expect_console_message(lambda said: 'there is no site "nobody"' in said.text):
        page.goto(host_page(host_html(demo).replace('"demo"', '"nobody"')))
    expect(page.locator("p5-chat")).to_have_count(0)


def test_a_page_that_is_not_allowed_gets_no_chat(
    page: Page, demo: str, host_page: HostPage
) -> None:
    with transaction() as session:
        session.scalars(select(Site)).one().allowed_origins = ["https://allowed.example"]
    page.goto(host_page(host_html(demo)))
    launcher(page).click()
    expect(page.locator("p5-chat .note")).to_contain_text("could not be loaded")
    assert db.session.query(ChatSession).count() == 0


def test_on_another_origin_a_reload_resumes_and_unread_messages_are_counted(
    page_with_third_party_storage: Page, demo: str, host_page: HostPage
) -> None:
    page = page_with_third_party_storage
    page.goto(host_page(host_html(demo)))
    chat = open_widget(page)
    chat.say("Ann Lee")
    chat.where.get_by_role("button", name="Close chat").click()
    with transaction() as session:
        visit = session.scalars(select(ChatSession)).one()
        last = session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
        session.add(
            Message(
                session_id=visit.id,
                role="agent",
                text="Tom here: I can call at five.",
                created_at=last.created_at,
            )
        )
    page.reload()
    expect(page.locator("p5-chat .badge")).to_have_text("1")
    expect(launcher(page)).to_have_accessible_name("Plan your project, 1 unread")
    chat = open_widget(page)
    expect(chat.theirs.last).to_have_text("Tom here: I can call at five.")
    chat.where.get_by_role("button", name="Close chat").click()
    expect(page.locator("p5-chat .badge")).to_be_hidden()
