"""Getting in, through the real pages: invited, with a second step, with a new password."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.accounts import users
from app.core import clock
from app.core.db import transaction
from app.models import User
from tests.accounts.authenticator import code_of_secret
from tests.browser.screens import assert_fine
from tests.browser.test_dashboard import Axe, NewContext, dashboard
from tests.web.signed_in import PASSWORD

__all__ = ["dashboard"]

Dashboard = Callable[..., Page]
NEW = "a good new password"
LONG = "Maximiliana-Alexandra von Hohenstaufen-Wittelsbach zu Schleswig"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def sign_in(page: Page, server: str, email: str, password: str) -> None:
    page.goto(f"{server}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    press(page, "Sign in")


def invite(page: Page, server: str, email: str) -> str:
    """As an admin; gives the link that is shown."""
    page.goto(f"{server}/users")
    page.get_by_role("link", name="Invite somebody").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Agent").check()
    press(page, "Invite")
    link = page.get_by_label("The link").input_value()
    return server + "/login/password/" + link.rpartition("/")[2]


def choose_password(page: Page, password: str) -> None:
    page.get_by_label("New password").fill(password)
    page.get_by_label("The same again").fill(password)
    press(page, "Save the password")
    expect(page.get_by_role("status")).to_contain_text("Your password is set")


def test_from_the_invitation_to_the_last_recovery_code(
    dashboard: Dashboard, new_context: NewContext, server: str
) -> None:
    admin = dashboard("/sessions")
    link = invite(admin, server, "bob@example.com")
    admin.reload()
    expect(admin.get_by_label("The link")).to_have_count(0)
    bob = new_context().new_page()
    bob.goto(link)
    bob.get_by_label("Your name").fill("Bob Ray")
    choose_password(bob, NEW)
    sign_in(bob, server, "bob@example.com", NEW)
    expect(bob.get_by_role("link", name="Bob Ray")).to_be_visible()
    expect(bob.get_by_role("link", name="Users")).to_have_count(0)

    # The second step: set up, asked for, a code once, a recovery code once.
    bob.get_by_role("link", name="Bob Ray").click()
    step = bob.get_by_role("region", name="Second step at sign-in")
    step.get_by_label("Your password").fill(NEW)
    press(bob, "Set it up")
    picture = bob.get_by_alt_text("QR code")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    bob.get_by_text("I cannot scan it").click()
    secret = bob.locator("code").inner_text().replace(" ", "")
    bob.get_by_label("Code").fill(code_of_secret(secret))
    press(bob, "Turn it on")
    expect(bob.locator(".codes code")).to_have_count(10)
    codes = bob.locator(".codes code").all_inner_texts()
    with clock.moved(timedelta(seconds=30)):
        code = code_of_secret(secret)
        tries = ((code, True), (code, False), (codes[0], True), (codes[0], False))
        for typed, is_right in tries:
            again = new_context().new_page()
            sign_in(again, server, "bob@example.com", NEW)
            again.get_by_label("Code").fill(typed)
            press(again, "Sign in")
            if is_right:
                again.wait_for_url(f"{server}/sessions")
            else:
                expect(again.get_by_role("alert")).to_contain_text("used already")

    # Out everywhere, at once, while a page is open.
    bob.goto(f"{server}/sessions")
    expect(bob.locator("[data-live-state]")).to_have_attribute("data-is", "live")
    admin.goto(f"{server}/users")
    admin.get_by_role("link", name="Bob Ray").click()
    press(admin, "Turn it off")
    expect(admin.get_by_role("status").last).to_contain_text("password alone")
    press(admin, "Sign out everywhere")
    expect(admin.get_by_text("Bob Ray is signed out everywhere.")).to_be_visible()
    expect(bob.get_by_role("heading", name="Sign in")).to_be_visible()

    # Forgotten: the admin makes a link, which works once.
    press(admin, "Make a link")
    link = server + "/login/password/" + admin.get_by_label("The link").input_value()[-43:]
    bob.goto(link)
    choose_password(bob, NEW + " too")
    bob.goto(link)
    expect(bob.get_by_text("This link has been used.")).to_be_visible()
    sign_in(bob, server, "bob@example.com", NEW + " too")
    bob.wait_for_url(f"{server}/sessions")
    press(admin, "Deactivate")
    expect(admin.get_by_text("can no longer sign in")).to_be_visible()
    expect(bob.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_open_page_shows_at_once_what_a_new_role_allows(
    dashboard: Dashboard, new_context: NewContext, server: str
) -> None:
    admin = dashboard("/sessions")
    with transaction() as session:
        users.create(session, email="bob@example.com", role="admin", password=PASSWORD)
    bob = new_context().new_page()
    sign_in(bob, server, "bob@example.com", PASSWORD)
    bob.goto(f"{server}/keys")
    expect(bob.get_by_role("link", name="Users")).to_be_visible()
    admin.goto(f"{server}/users")
    admin.get_by_role("link", name="bob@example.com").click()
    admin.get_by_label("Agent").check()
    press(admin, "Save the role")
    expect(bob.get_by_role("link", name="Users")).to_have_count(0)
    expect(bob.get_by_role("heading", name="Keys")).to_have_count(0)


def test_the_theme_is_kept_by_the_server_and_never_flashes(
    dashboard: Dashboard, new_context: NewContext, server: str
) -> None:
    page = dashboard("/profile", color_scheme="light")
    root = page.locator("html")
    page.get_by_label("Dark").check()
    press(page, "Save")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    with page.expect_response("**/profile/theme"):
        page.get_by_role("button", name="Theme: dark").click()
    expect(page.get_by_label("As my computer")).to_be_checked()
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.get_by_label("Light").check()
    press(page, "Save")
    other = new_context(color_scheme="dark", java_script_enabled=False).new_page()
    sign_in(other, server, "ann@example.com", PASSWORD)
    expect(other.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(root).to_have_attribute("data-bs-theme", "light")  # as this device remembers it


@pytest.fixture
def people(dashboard: Dashboard) -> tuple[Page, User]:
    """An admin's page, beside users of every kind."""
    page = dashboard("/sessions", reduced_motion="reduce")
    with transaction() as session:
        now = clock.now()
        users = [
            User(email="bob@example.com", name=LONG, role="agent", created_at=now),
            User(email="x" * 60 + "@example.com", role="admin", password_hash="x", created_at=now),
            User(email="off@example.com", name="Off", role="agent", is_active=False,
                 password_hash="x", last_signed_in_at=now, created_at=now),
            User(email="two@example.com", name="Zoë Ąż", role="agent", password_hash="x",
                 totp_secret="sealed", totp_enabled_at=now, last_signed_in_at=now, created_at=now),
        ]  # fmt: skip
        session.add_all(users)
    return page, users[-1]


def test_no_barrier_and_no_sideways_scroll(
    people: tuple[Page, User], new_context: NewContext, server: str, axe: Axe
) -> None:
    page, user = people
    for path in ("/users", "/users/new", f"/users/{user.id}", "/profile"):
        page.goto(server + path)
        assert_fine(page, axe, path)
    page.get_by_role("button", name="Change the password").click()
    page.get_by_text("not your password").wait_for()
    assert_fine(page, axe, "profile, refused")
    page.get_by_role("region", name="Second step at sign-in").get_by_label("Your password").fill(
        PASSWORD
    )
    press(page, "Set it up")
    page.get_by_text("I cannot scan it").click()
    assert_fine(page, axe, "set-up")
    secret = page.locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(code_of_secret(secret))
    press(page, "Turn it on")
    assert_fine(page, axe, "recovery codes")
    page.goto(f"{server}/profile")
    assert_fine(page, axe, "profile, on")
    link = invite(page, server, "carl@example.com")
    assert_fine(page, axe, "link")
    outside = new_context(reduced_motion="reduce").new_page()
    sign_in(outside, server, "ann@example.com", "wrong")
    outside.get_by_role("alert").wait_for()
    assert_fine(outside, axe, "refused")
    sign_in(outside, server, "ann@example.com", PASSWORD)
    outside.get_by_label("Code").wait_for()
    assert_fine(outside, axe, "code")
    for path in ("/login/forgotten", "/login/forgotten/sent", "/login/password/x"):
        outside.goto(server + path)
        assert_fine(outside, axe, path)
    outside.goto(link)
    assert_fine(outside, axe, "password")
