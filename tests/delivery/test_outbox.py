"""What is enqueued: in the caller's transaction, once, with a frozen body."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.delivery import outbox, payload, repeat
from app.delivery.destinations import active_destinations
from app.delivery.send import drain
from app.models import ChatSession, Delivery, Lead, Site
from tests.delivery.conftest import Outbox
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.fakes.n8n import N8n

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_delivery_and_its_job_go_with_the_transaction_that_fails(
    outbox_of: Outbox, n8n: N8n
) -> None:
    content = outbox_of.lead()
    with pytest.raises(ZeroDivisionError):
        _enqueue_and_fail(content)
    assert _counts() == (0, 0, 0)

    outbox_of.enqueue(content)
    assert _counts() == (1, 1, 1)


def test_lead_completed_goes_out_once_per_lead_and_destination(outbox_of: Outbox, n8n: N8n) -> None:
    content = outbox_of.lead()
    first = outbox_of.enqueue(content)
    with transaction() as session:
        assert outbox.enqueue(session, "lead.completed", content) == []
        assert len(outbox.enqueue(session, "lead.updated", content)) == 1
        assert len(outbox.enqueue(session, "lead.completed", content, ["console"])) == 1
    assert _counts()[1:] == (3, 3)
    with transaction() as session:
        session.execute(
            text("UPDATE deliveries SET status = 'cancelled' WHERE id = :id"), {"id": first}
        )
        assert len(outbox.enqueue(session, "lead.completed", content)) == 1


def content_of(session: Session, lead: Lead, chat: ChatSession) -> payload.Content:
    site = session.get_one(Site, chat.site_id).profile()
    return payload.of_lead(lead, chat, site, payload.lines_of(session, chat.id))


def test_an_event_goes_where_the_settings_say_when_it_happens(outbox_of: Outbox, n8n: N8n) -> None:
    assert active_destinations() == ("n8n",)


def test_without_a_webhook_a_lead_is_printed_and_counts_as_delivered(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = make_chat(session)
    make_message(session, chat, text="Hello\x1b[31m <b>you</b> 😀")
    lead = make_lead(session, chat, qualification={"service": "Windows"})
    [delivery_id] = outbox.enqueue(session, "lead.completed", content_of(session, lead, chat))
    delivery = session.get_one(Delivery, delivery_id)
    session.commit()

    assert delivery.destination_key == "console"
    assert drain("console") == 1

    session.refresh(delivery)
    assert (delivery.status, delivery.attempt_count) == ("delivered", 1)
    printed = capsys.readouterr().out
    for part in ("lead.completed", "Ann Lee", "ann@example.com", "+442079460958", "Windows"):
        assert part in printed
    assert "visitor: Hello[31m <b>you</b> 😀" in printed
    assert "\x1b" not in printed


def test_the_body_is_frozen_compact_and_plain_utf_8(outbox_of: Outbox, n8n: N8n) -> None:
    content = outbox_of.lead()
    content.data["note"] = 'é 😀 "quoted" \u2028\n'
    delivery = outbox_of.enqueue(content)
    content.data["note"] = "changed"
    body = outbox_of.state(delivery).body
    assert '"note":"é 😀 \\"quoted\\" \u2028\\n"' in body
    assert ", " not in body
    assert json.loads(body).keys() == {"type", "timestamp", "data"}
    assert json.loads(body)["timestamp"].endswith("Z")


def test_the_payload_has_the_shape_of_the_interface(session: Session) -> None:
    site = make_site(session, key="acme", name="Acme Ltd")
    chat = make_chat(
        session,
        site,
        started_at=AT,
        completion_status="completed",
        completed_at=AT + timedelta(minutes=2),
        completion_phrase="within 24 hours",
        completion_message_id=2,
        attribution={"landing_url": "https://acme.example/?a", "gclid": "g1"},
    )
    make_message(session, chat, text="Second", created_at=AT + timedelta(seconds=2))
    make_message(session, chat, text="First", created_at=AT, role="assistant")
    lead = make_lead(
        session,
        chat,
        qualification={"service": "Windows"},
        consent_text_version="1",
        consent_at=AT,
        missing=["company"],
    )

    content = content_of(session, lead, chat)

    assert (content.lead_id, content.session_id) == (lead.id, chat.id)
    assert content.data == {
        "lead": {
            "id": str(lead.id),
            "name": "Ann Lee",
            "email": "ann@example.com",
            "phone": "+442079460958",
            "company": None,
            "qualification": {"service": "Windows"},
            "consent": {"text_version": "1", "at": "2026-11-22T12:00:00Z"},
            "missing": ["company"],
            "invalid": [],
        },
        "session": {
            "id": str(chat.id),
            "site": {"key": "acme", "name": "Acme Ltd"},
            "channel": "web",
            "dashboard_url": f"http://127.0.0.1:8000/sessions/{chat.id}",
            "started_at": "2026-11-22T12:00:00Z",
            "completed_at": "2026-11-22T12:02:00Z",
            "message_count": 2,
            "completion": {"cause": "live", "phrase": "within 24 hours", "message_id": 2},
        },
        "attribution": {
            "landing_url": "https://acme.example/?a",
            "referrer": None,
            "utm_source": None,
            "utm_medium": None,
            "utm_campaign": None,
            "utm_term": None,
            "utm_content": None,
            "gclid": "g1",
            "fbclid": None,
        },
        "transcript": [
            {"role": "assistant", "text": "First", "at": "2026-11-22T12:00:00Z"},
            {"role": "visitor", "text": "Second", "at": "2026-11-22T12:00:02Z"},
        ],
    }


def test_what_is_not_known_is_null(session: Session) -> None:
    chat = make_chat(session)
    data = content_of(session, make_lead(session, chat), chat).data
    assert data["lead"]["consent"] is None
    assert data["session"]["completed_at"] is None
    assert data["session"]["completion"] is None
    assert set(data["attribution"].values()) == {None}


def test_a_test_has_the_shape_of_a_real_lead(session: Session) -> None:
    chat = make_chat(session)
    make_message(session, chat)
    real = content_of(session, make_lead(session, chat), chat).data
    sample = payload.sample("https://chat.example").data
    assert _shape(sample) == _shape(real)


def test_a_claim_has_both_parts_or_none(session: Session) -> None:
    delivery = session.get_one(Delivery, repeat.send_test(session, "n8n"))
    delivery.claimed_until = clock.now()
    with pytest.raises(IntegrityError, match="ck_deliveries_claim"):
        session.flush()


def _enqueue_and_fail(content: payload.Content) -> None:
    with transaction() as session:
        outbox.enqueue(session, "lead.completed", content)
        _ = 1 / 0


def _shape(data: object) -> object:
    if isinstance(data, dict) and set(data) != {"service"}:
        return {key: _shape(value) for key, value in data.items()}
    return type(data).__name__ if isinstance(data, list) else "value"


def _counts() -> tuple[int, ...]:
    with transaction() as session:
        return tuple(
            session.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608
            for table in ("destinations", "deliveries", "procrastinate_jobs")
        )
