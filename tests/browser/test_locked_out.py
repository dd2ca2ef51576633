"""Locked out after wrong passwords, and in again: by an email, or from a known browser."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Page, expect

from app.core import clock
from tests.browser.test_accounts import NEW, choose_password, press, sign_in
from tests.browser.test_dashboard import NewContext
from tests.web.passwords import links, work
from tests.web.signed_in import PASSWORD, make_user


def test_too_many_tries_keep_one_out_and_a_letter_lets_one_in(server: str, page: Page) -> None:
    make_user()
    wait = page.get_by_text("minute")
    for _ in range(6):
        sign_in(page, server, "ann@example.com", "not this one")
        page.wait_for_load_state("networkidle")
    expect(wait.first).to_be_visible()
    sign_in(page, server, "ann@example.com", PASSWORD)
    expect(wait.first).to_be_visible()  # the right one is not told from a wrong one
    expect(page.get_by_label("E-mail")).to_have_value("ann@example.com")

    page.get_by_role("link", name="Forgot").click()
    page.get_by_label("E-mail").fill("ann@example.com")
    page.get_by_role("button").first.click()
    page.wait_for_url(f"{server}/login/forgotten/sent")
    work()
    [path] = links()
    page.goto(server + path)
    choose_password(page, NEW)
    sign_in(page, server, "ann@example.com", NEW)
    page.wait_for_url(f"{server}/sessions")
    page.goto(server + path)
    expect(page.get_by_text("This link has been used.")).to_be_visible()

    page.context.clear_cookies()
    for _ in range(6):
        sign_in(page, server, "ann@example.com", "not this one")
        page.wait_for_load_state("networkidle")
    with clock.moved(timedelta(minutes=2)):
        sign_in(page, server, "ann@example.com", NEW)
        page.wait_for_url(f"{server}/sessions")


def test_an_owner_locked_out_by_strangers_gets_in_where_they_signed_in_before(
    server: str, new_context: NewContext
) -> None:
    make_user()
    home, phone, new = (new_context().new_page() for _ in range(3))
    for page in (home, phone):
        sign_in(page, server, "ann@example.com", PASSWORD)
        page.wait_for_url(f"{server}/sessions")
    copied = home.context.cookies()
    press(home, "Sign out")
    home.wait_for_url(f"{server}/login")

    # A copy of the cookie ended with the sign-in; the phone did not.
    thief = new_context()
    thief.add_cookies([each for each in copied if each["name"] == "session"])
    stolen = thief.new_page()
    stolen.goto(f"{server}/sessions")
    expect(stolen.get_by_role("heading", name="Sign in")).to_be_visible()
    phone.reload()
    expect(phone).to_have_url(f"{server}/sessions")

    for _ in range(6):
        sign_in(new, server, "ann@example.com", "not this one")
        new.wait_for_load_state("networkidle")
    sign_in(new, server, "ann@example.com", PASSWORD)
    expect(new.get_by_text("sign in from a browser you have used before")).to_be_visible()
    sign_in(home, server, "ann@example.com", PASSWORD)
    home.wait_for_url(f"{server}/sessions")
