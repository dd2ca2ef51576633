"""A fake N8n that the outbox is pointed at, and words for what the tests do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import delivery
from app.core.db import transaction
from app.delivery import letters, outbox
from app.delivery.letters import Letter
from app.delivery.payload import Content
from app.models import Delivery, DeliveryAttempt, Destination
from config import Settings
from tests.factories import make_chat, make_lead
from tests.fakes.n8n import N8n, running_n8n
from tests.fakes.resend import KEY, Resend, running_resend

LINK = "https://chat.example.com/invitations/a-secret-way-in"
SECRET = "whsec_" + "c2VjcmV0LW9mLTI0LXBsYWluLWNoYXJhY3RlcnM="
AUTH = "Bearer token-of-the-bridge"


@pytest.fixture
def n8n(settings: Settings) -> Iterator[N8n]:
    """N8n runs, and leads go there."""
    with running_n8n(SECRET) as fake:
        delivery.configure(
            replace(
                settings,
                n8n_lead_webhook_url=fake.url,
                n8n_webhook_secrets=(SECRET,),
                n8n_auth_header_name="X-Bridge",
                n8n_auth_header_value=AUTH,
            )
        )
        yield fake
        delivery.configure(settings)


@pytest.fixture
def outbox_of(database: Flask, n8n: N8n) -> Outbox:
    """The outbox of a committing database, with N8n as its destination."""
    return Outbox()


@pytest.fixture
def mailing(settings: Settings) -> Settings:
    sender = "5ive <chat@example.com>"
    return replace(settings, resend_api_key=KEY, resend_from=sender)


@pytest.fixture
def resend(
    database: Flask, mailing: Settings, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Resend]:
    """Resend runs, and letters go there as fast as they can."""
    monkeypatch.setattr("app.delivery.destinations.LETTER_SECONDS", 0.0)
    with running_resend() as fake:
        delivery.configure(replace(mailing, resend_api_url=fake.url))
        yield fake
        delivery.configure(settings)


class Outbox:
    """What the tests say about deliveries, each in a transaction of its own."""

    def lead(self) -> Content:
        """A new session with its lead."""
        with transaction() as session:
            chat = make_chat(session)
            lead = make_lead(session, chat)
            return Content({"lead": {"name": "Ann"}}, lead.id, chat.id)

    def enqueue(
        self, content: Content | None = None, event: str = "lead.completed", key: str = "n8n"
    ) -> Any:
        """The new delivery's id."""
        content = content or self.lead()
        with transaction() as session:
            return outbox.enqueue(session, event, content, [key])[0]

    def state(self, delivery_id: Any) -> Delivery:
        with transaction() as session:
            session.expunge_all()
            return session.get_one(Delivery, delivery_id)

    def attempts(self, delivery_id: Any) -> list[DeliveryAttempt]:
        with transaction() as session:
            session.expunge_all()
            return list(
                session.scalars(
                    select(DeliveryAttempt)
                    .where(DeliveryAttempt.delivery_id == delivery_id)
                    .order_by(DeliveryAttempt.id)
                )
            )

    def errors(self, delivery_id: Any) -> list[str | None]:
        return [attempt.error for attempt in self.attempts(delivery_id)]

    def destination(self, key: str = "n8n") -> Destination:
        with transaction() as session:
            session.expunge_all()
            return session.get_one(Destination, key)


def write(event: str = "user.notice", subject: str = "News", *to: str) -> uuid.UUID:
    with transaction() as session:
        letter = Letter(to or ["ann@example.com"], subject, "test", {"link": LINK})
        return letters.enqueue(session, event, letter)
