"""The audit log in a real browser, on every screen."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from app.accounts import audit
from app.core.db import transaction
from tests.browser.screens import Axe, assert_fine
from tests.browser.signed_in import sign_in
from tests.factories import make_chat, make_site
from tests.web.signed_in import make_user

pytestmark = pytest.mark.usefixtures("database")


def test_the_log_can_be_read_and_narrowed_on_every_screen(
    new_context: Callable[..., BrowserContext], server: str, axe: Axe
) -> None:
    ann = make_user().id
    with transaction() as session:
        site = make_site(session, key="harbour", name="Harbour Kitchens and Bathrooms of Bristol")
        chat = make_chat(session, site)
        audit.note(session, None, "site.created", "site", "harbour")
        audit.note(session, ann, "site.assistant_changed", "site", "harbour", address="203.0.113.7")
        for action, more in (
            ("session.archived", {}),
            ("session.qa_moved", {"to": "issue"}),
            ("lead.edited", {"fields": ["name", "phone"]}),
        ):
            audit.note(session, ann, action, "session", chat.id, address="2001:db8::7", **more)
        audit.note(session, ann, "key.revoked", "key", uuid.uuid4(), name=f"N8n {'x' * 60}")
    page = new_context().new_page()
    sign_in(page.context, server)
    page.goto(f"{server}/audit")
    expect(page.get_by_text("changed who answers on")).to_be_visible()
    expect(page.get_by_text("Name, Phone")).to_be_visible()
    assert_fine(page, axe, "audit")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_label("About").select_option(label="Keys")
    page.wait_for_url("**/audit?about=keys")
    expect(page.get_by_text("revoked a key")).to_be_visible()
    expect(page.get_by_text("archived a session")).to_have_count(0)
    page.goto(f"{server}/audit?about=views")
    expect(page.get_by_role("heading", name="Nothing like this")).to_be_visible()
