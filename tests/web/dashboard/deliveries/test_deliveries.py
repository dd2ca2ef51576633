"""`/deliveries` and one delivery: by destination and state, personal details only when asked."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core import clock
from app.core.db import db, transaction
from app.models import AuditEntry, Delivery, Destination
from tests.reporting.queries import counted
from tests.reporting.test_deliveries import make_attempt, make_delivery
from tests.web.delivery_body import BODY, LEAD
from tests.web.signed_in import csrf_token

pytestmark = pytest.mark.usefixtures("database")

PERSONAL = (
    "Ann Lee", "ann@example.com", "+442079460958", "Lee Ltd", "aunt", "click-1", "click-2",
    "call me",
)  # fmt: skip


def test_personal_details_are_hidden_until_asked_and_asking_is_noted(agent: FlaskClient) -> None:
    with transaction() as session:
        sent = make_delivery(session, status="delivered", body=json.dumps(BODY))
        # The page names its lead by name; here the payload alone is looked at.
        sent.lead_id = None
        make_attempt(session, sent, error="timeout", duration_ms=20000)
        make_attempt(session, sent, status_code=200, answer="Workflow was started: ann@example.com")
    page = agent.get(f"/deliveries/{sent.id}")
    assert page.status_code == 200
    assert [each for each in PERSONAL if each in page.text] == []
    for shown in ("Kitchens", "newsletter", "https://good.example/offer", "•••", "Budget"):
        assert shown in page.text
    assert "N8n did not answer in 20 s" in page.text
    assert "Workflow was started" in page.text
    assert noted() == []
    data = {"csrf_token": csrf_token(page)}
    opened = agent.post(f"/deliveries/{sent.id}/personal-details", data=data)
    assert [each for each in PERSONAL if each not in opened.text] == []
    assert noted() == [("delivery.personal_shown", str(sent.id))]
    assert "Ann Lee" not in agent.get(f"/deliveries/{sent.id}/live").text
    for path in (f"/deliveries/{uuid.uuid4()}", f"/deliveries/{uuid.uuid4()}/live"):
        assert agent.get(path).status_code == 404
    gone = agent.post(f"/deliveries/{uuid.uuid4()}/personal-details", data=data)
    assert gone.status_code == 404


def test_a_letter_with_a_personal_link_never_shows_what_it_says(admin: FlaskClient) -> None:
    letter = {
        "to": ["bob@example.com"],
        "subject": "Come in",
        "text": "https://x/way-in",
        "html": "",
    }
    with transaction() as session:
        way_in, issue = (
            make_delivery(
                session, "email", event=event, lead_id=None, session_id=None,
                body=json.dumps({"type": event, "data": letter}),
            )
            for event in ("user.reset", "qa.issue")
        )  # fmt: skip
    page = admin.get(f"/deliveries/{way_in.id}")
    data = {"csrf_token": csrf_token(page)}
    opened = admin.post(f"/deliveries/{way_in.id}/personal-details", data=data)
    for each in (page, opened):
        assert "It holds a personal link and is not shown." in each.text
        assert "way-in" not in each.text
        assert "bob@example.com" not in each.text
    page = admin.get(f"/deliveries/{issue.id}")
    assert "Come in" in page.text
    assert "bob@example.com" not in page.text
    assert "way-in" not in page.text
    opened = admin.post(f"/deliveries/{issue.id}/personal-details", data=data)
    assert "bob@example.com" in opened.text
    assert "way-in" in opened.text


def test_what_is_ticked_is_sent_again_and_what_is_left_out_is_said(agent: FlaskClient) -> None:
    with transaction() as session:
        dead = [make_delivery(session, status="dead") for _ in range(2)]
        sent = make_delivery(session, status="delivered")
        waiting = make_delivery(session, status="pending")
        busy = make_delivery(
            session, status="failed", claim_token=uuid.uuid4(),
            claimed_until=clock.now() + timedelta(seconds=20),
        )  # fmt: skip
        reopened = make_delivery(session, status="cancelled")
    token = csrf_token(agent.get("/deliveries"))
    asked = [each.id for each in (*dead, sent, waiting, busy, reopened)] + [uuid.uuid4()]
    data = {"csrf_token": token, "ids": asked, "back": "/deliveries"}
    page = agent.post("/deliveries/attempts", data=data, follow_redirects=True).text
    assert "2 are being sent again." in page
    assert "1 had been sent, so nothing was done there." in page
    assert "2 are on their way already" in page
    assert "1 was cancelled" in page
    assert "1 is there no more" in page
    db.session.rollback()
    statuses = [
        db.session.scalar(select(Delivery.status).where(Delivery.id == each.id))
        for each in (*dead, sent, busy)
    ]
    assert statuses == ["pending", "pending", "delivered", "failed"]
    assert sorted(noted()) == sorted(("delivery.sent_again", str(each.id)) for each in dead)
    none = agent.post("/deliveries/attempts", data={"csrf_token": token}, follow_redirects=True)
    assert "Nothing was selected" in none.text


def test_the_list_counts_by_destination_and_filters_by_days(admin: FlaskClient) -> None:
    assert "Nothing sent yet" in admin.get("/deliveries").text
    with transaction() as session:
        for number in range(12):
            make_delivery(session, status="dead", created_at=clock.now() - timedelta(days=number))
        make_delivery(session, "console", status="delivered")
    page = admin.get("/deliveries").text
    assert "Send all 12 to N8n again" in page
    assert "Not sent <b>12</b>" in page
    assert "Sent <b>1</b>" in page
    assert "data-given-up>12</b>" in page
    assert 'data-given-up="12"' in admin.get("/notices").text
    recent = admin.get("/deliveries?period=7d&destination=n8n").text
    assert recent.count('class="row-item"') == 7
    assert "No delivery fits" in admin.get("/deliveries?status=unknown").text
    assert admin.get("/deliveries?from=yesterday").status_code == 422
    pieces = admin.get("/deliveries/counts").text
    assert "Not sent <b>12</b>" in pieces
    with counted() as few:
        admin.get("/deliveries?period=today")
    with counted() as many:
        admin.get("/deliveries")
    assert len(few) == len(many)


def noted() -> list[tuple[str, str | None]]:
    db.session.rollback()
    rows = db.session.execute(
        select(AuditEntry.action, AuditEntry.object_id).where(AuditEntry.object_type == "delivery")
    )
    return [(action, object_id) for action, object_id in rows]


@pytest.mark.parametrize(
    "answer",
    [
        '{"got":"Zo\\u00eb \\"Lee\\""}',
        "ZOË@EXAMPLE.COM",
        "<p>Lee &amp; Sons</p>",
        "x" * 2036 + "zoë@exampl",  # cut off at 2 KB
        "Dear Zoë &#34;Lee&#34;",
    ],
)
def test_what_a_receiver_repeats_in_other_signs_is_hidden_too(
    agent: FlaskClient, answer: str
) -> None:
    lead = {**LEAD, "name": 'Zoë "Lee"', "email": "zoë@example.com", "company": "Lee & Sons"}
    body = json.dumps({**BODY, "data": {**BODY["data"], "lead": lead}})  # type: ignore[dict-item]
    with transaction() as session:
        sent = make_delivery(session, status="delivered", body=body)
        sent.lead_id = None
        make_attempt(session, sent, status_code=200, answer=answer)
    said = agent.get(f"/deliveries/{sent.id}").text.split("It said: ")[1].split("</p>\n")[0]
    for each in ("Lee", "ZOË", "zoë", "Sons", "u00eb", "exampl"):
        assert each not in said
    assert "•••" in said


def test_who_sends_again_to_a_paused_destination_is_told_that_it_waits(agent: FlaskClient) -> None:
    with transaction() as session:
        dead = [make_delivery(session, status="dead") for _ in range(3)]
        session.get_one(Destination, "n8n").paused_at = clock.now()
    data = {"csrf_token": csrf_token(agent.get("/deliveries")), "back": "/deliveries"}
    one = agent.post(f"/deliveries/{dead[0].id}/attempts", data=data, follow_redirects=True)
    chosen = agent.post(
        "/deliveries/attempts", data={**data, "ids": [dead[1].id]}, follow_redirects=True
    )
    rest = agent.post(
        "/deliveries/attempts", data={**data, "destination": "n8n"}, follow_redirects=True
    )
    for page in (one, chosen, rest):
        assert "N8n is paused: it goes out once that is resumed." in page.text
