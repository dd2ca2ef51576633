"""Workflows that fail, told to us by the error workflow and shown to the team."""

from __future__ import annotations

import json
import re
import uuid

from playwright.sync_api import Page, expect

from app.core import clock
from app.gateways.n8n import LeadWebhook
from bench.setup import EMAIL, PASSWORD
from tests.fakes.chat_completions import Says
from tests.n8n.conftest import until
from tests.n8n.house import FAILING_LEADS, House

LEAD = {"id": "7", "name": "Ann Lee", "email": "ann@example.com", "phone": "+442079460958"}
BODY = json.dumps({"type": "lead.completed", "data": {"lead": LEAD}}, separators=(",", ":"))
PATIENCE_MS = 30_000


def test_a_failing_workflow_becomes_one_incident_without_contact_details(
    house: House, page: Page
) -> None:
    webhook = LeadWebhook(house.n8n.url + FAILING_LEADS, (house.secret.ours,))
    for _ in range(3):
        assert webhook.post(str(uuid.uuid4()), BODY, clock.now()).status == 200
    incidents = "SELECT title, problem, count FROM incidents WHERE title LIKE 'Leads into%%'"
    until(lambda: [row[2] for row in house.query(incidents)] == [3])
    [(title, problem, _)] = house.query(incidents)
    assert title == "Leads into the sheet, at “Write it into the sheet”"
    assert problem.startswith("No access to the sheet")
    everything = house.query(
        "SELECT i::text FROM incidents i UNION ALL SELECT r::text FROM incident_reports r"
    )
    for secret in ("ann@example.com", "Ann Lee", "442079460958", house.secret.ours):
        assert secret not in str(everything)

    page.goto(f"{house.url}/incidents")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    row = page.get_by_role("listitem").filter(has_text=title)
    expect(row).to_contain_text("No access to the sheet", timeout=PATIENCE_MS)
    expect(row).to_contain_text(re.compile("3 times", re.IGNORECASE))
    house.show("a workflow that fails is one incident on the page, without contact details", 3)


def test_a_model_that_fails_is_an_incident_and_the_visitor_is_answered(house: House) -> None:
    chat = house.chat()
    house.model.otherwise = Says(status=500, body=b'{"error":{"message":"tokens of boom"}}')
    answer = chat.say("Hello, I need a new kitchen")
    assert answer
    assert "boom" not in answer
    assert "{" not in answer
    until(lambda: _sources(house) >= {"n8n", "assistant"})
    house.show("a model that fails is an incident, and the visitor is answered in words")


def _sources(house: House) -> set[str]:
    found = "SELECT source FROM incidents WHERE problem <> '' AND title NOT LIKE 'Leads into%%'"
    return {source for (source,) in house.query(found)}
