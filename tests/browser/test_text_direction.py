"""In a real browser: no name turns the text beside it around, and genuine names look right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.core.db import transaction
from app.models import ChatSession, Lead, User
from tests import nasty
from tests.browser.test_dashboard import dashboard
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.test_deliveries import make_delivery

__all__ = ["dashboard"]

Dashboard = Callable[..., Page]
NAMES = (
    *(f"Ann{each}Lee (12)" for each in nasty.REORDERING),
    *(f"דוד{each}12" for each in nasty.REORDERING),
    *nasty.GENUINE,
)
#: Texts of the page, with a run of letters that stands in the wrong order. The places of two
#: neighbouring letters on one line tell it: left to right for `letters` true, else right to left.
TURNED = """([letters, isLeftToRight]) => {
  const pattern = new RegExp(letters, "gu");
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const turned = new Set();
  let seen = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const run of node.data.matchAll(pattern)) {
      let before = null;
      for (let at = run.index; at < run.index + run[0].length; at += 1) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const box = range.getBoundingClientRect();
        if (!box.width) { before = null; continue; }
        const isOneLine = before && Math.abs(box.top - before.top) < 2;
        if (isOneLine) {
          seen += 1;
          if (isLeftToRight ? box.left < before.left - 0.5 : box.left > before.left + 0.5) {
            turned.add(node.data.trim().slice(0, 60));
          }
        }
        before = box;
      }
    }
  }
  return { turned: [...turned], seen };
}"""
OURS = "[A-Za-z]{2,}"
HEBREW = "[\\u05d0-\\u05ea]{2,}"


def fill(names: tuple[str, ...]) -> ChatSession:
    with transaction() as session:
        for user in session.query(User):
            user.name = names[0]
        for name in names:
            site = make_site(session, name=name)
            chat: ChatSession = make_chat(session, site)
            make_message(session, chat, text=f"I am {name}")
            make_lead(
                session, chat, name=name, company=name,
                qualification={"service": name, "budget": "5 rooms", "when": name},
            )  # fmt: skip
            other = make_delivery(session, status="dead")
            session.get_one(ChatSession, other.session_id).site_id = site.id
    return chat


def turned(page: Page, letters: str, *, is_left_to_right: bool) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(TURNED, [letters, is_left_to_right])
    return found


@pytest.mark.parametrize("width", [1440, 390])
def test_no_name_turns_what_stands_beside_it(dashboard: Dashboard, server: str, width: int) -> None:
    page = dashboard("/sessions")
    page.set_viewport_size({"width": width, "height": 900})
    chat = fill(NAMES)
    of_one = (f"/sessions/{chat.id}", f"/qa/{chat.id}")
    lists = (
        "/sessions",
        "/leads",
        "/qa",
        "/deliveries",
        "/sites",
        "/users",
        "/audit",
        "/qa/numbers",
    )
    for path in (*lists, *of_one):
        page.goto(server + path)
        page.wait_for_load_state()
        found = turned(page, OURS, is_left_to_right=True)
        assert found["seen"] > 100, path
        assert found["turned"] == [], path
        assert turned(page, HEBREW, is_left_to_right=False)["turned"] == [], path


def test_genuine_names_are_shown_as_they_are(dashboard: Dashboard, server: str) -> None:
    page = dashboard("/sessions")
    fill(nasty.GENUINE)
    page.goto(f"{server}/sessions")
    shown = page.locator(".cell-who .row-link").all_inner_texts()
    assert set(nasty.GENUINE) <= set(shown)
    assert turned(page, HEBREW, is_left_to_right=False)["seen"] > 0
    expect(page.get_by_role("link", name="דוד כהן", exact=True)).to_be_visible()


def test_a_pages_title_holds_no_control(dashboard: Dashboard, server: str) -> None:
    page = dashboard("/sessions")
    chat = fill(("דוד\u2069\u202e12",))
    page.goto(f"{server}/sessions/{chat.id}")
    assert page.title() == "\u2068דוד12\u2069 · Platform 5ive"


def test_what_was_typed_stays_in_the_form_and_is_saved_unchanged(
    dashboard: Dashboard, server: str
) -> None:
    page = dashboard("/sessions")
    chat = fill(("Ann\u202eLee",))
    page.goto(f"{server}/sessions/{chat.id}")
    page.get_by_text("Edit the lead").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ann\u202eLee")
    page.get_by_label("Company").fill("Acme")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".lead-changes li")).to_have_count(1)
    with transaction() as session:
        lead = session.scalars(select(Lead).where(Lead.session_id == chat.id)).one()
        assert (lead.name, lead.company) == ("Ann\u202eLee", "Acme")
