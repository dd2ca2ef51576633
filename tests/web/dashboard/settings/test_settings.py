"""The settings page says what is set up in words, and never a secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import delivery
from app.core.db import transaction
from app.delivery import letters
from app.delivery.letters import Letter
from app.delivery.send import drain
from app.models import AuditEntry
from config import Settings
from tests.fakes.resend import KEY, Refusal, Resend, running_resend
from tests.web.signed_in import csrf_token, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")

SECRETS = ("hunter2", "path-token", "query-token", KEY, "sk-secret", "Bearer abc")


@pytest.fixture
def resend(settings: Settings, app: Flask) -> Iterator[Resend]:
    """Everything is set up; letters go to a local Resend."""
    with running_resend() as fake:
        full = replace(
            settings,
            public_url="https://chat.example.com",
            n8n_lead_webhook_url="https://ann:hunter2@n8n.example.com:5678/path-token?k=query-token",
            n8n_webhook_secrets=("whsec_aHVudGVyMg==",),
            n8n_auth_header_name="X-Bridge",
            n8n_auth_header_value="Bearer abc",
            n8n_chat_url="https://chat.n8n.example.com/webhook/path-token/chat",
            openai_api_key="sk-secret",
            openai_model="gpt-4.1-mini",
            n8n_memory_database_url="postgresql+psycopg2://n8n:hunter2@memory.example.com/n8n",
            resend_api_key=KEY,
            resend_from="5ive <chat@example.com>",
            resend_api_url=fake.url,
            qa_notify_emails=("dev@example.com", "ops@example.com"),
            completion_layers=("live", "sweep"),
        )
        app.extensions["settings"] = full
        delivery.configure(full)
        yield fake
        app.extensions["settings"] = settings
        delivery.configure(settings)


def test_what_is_set_up_is_said_without_a_secret(resend: Resend, admin: FlaskClient) -> None:
    page = admin.get("/settings").text
    for said in (
        "N8n at n8n.example.com:5678<",
        "N8n at chat.n8n.example.com<",
        "Resend, from 5ive &lt;chat@example.com&gt;",
        "dev@example.com, ops@example.com",
        "memory.example.com<",
        "gpt-4.1-mini",
        "https://chat.example.com<",
        "<dt>By “Sync now”</dt><dd>off</dd>",
    ):
        assert said in page
    assert "Not set up" not in page
    for secret in SECRETS:
        assert secret not in page


def test_what_is_not_set_up_names_its_variable(admin: FlaskClient) -> None:
    page = admin.get("/settings").text
    assert page.count("<span>Not set up</span>") == 4
    assert "This computer only" in page
    for variable in ("N8N_LEAD_WEBHOOK_URL", "RESEND_API_KEY", "N8N_CHAT_URL", "OPENAI_API_KEY"):
        assert f"<code>{variable}</code>" in page


def test_a_test_letter_goes_to_who_asks(resend: Resend, admin: FlaskClient, app: Flask) -> None:
    token = csrf_token(admin.get("/settings"))
    data = {"csrf_token": token, "to": "eve@example.com"}
    answer = admin.post("/settings/test-letter", data=data, follow_redirects=True)
    assert "A test letter is on its way to ann@example.com." in answer.text
    drain("email")
    [mail] = resend.mails
    assert mail.payload["to"] == ["ann@example.com"]
    assert "https://chat.example.com/settings" in mail.payload["text"]
    with transaction() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert "letter.tested" in actions

    make_user("bob@example.com", role="agent")
    agent = app.test_client()
    sign_in(agent, email="bob@example.com")
    assert agent.get("/settings").status_code == 403
    token = csrf_token(agent.get("/deliveries"))
    assert agent.post("/settings/test-letter", data={"csrf_token": token}).status_code == 403
    assert len(resend.mails) == 1


def test_a_mail_service_that_refuses_us_is_told_on_every_page_and_tried_from_there(
    resend: Resend, admin: FlaskClient
) -> None:
    token = csrf_token(admin.get("/settings"))
    resend.behave(Refusal(403, "invalid_api_key"))
    with transaction() as session:
        letter = Letter(["dev@example.com"], "Welcome", "test", {})
        letters.enqueue(session, "user.invited", letter)
    drain("email")
    page = admin.get("/settings").text
    assert "The mail service is paused." in page
    assert "letters wait here. Leads are sent as usual." in page
    listed = admin.get("/deliveries").text
    assert "Letter: invitation" in listed
    assert "The mail service is paused. Waits until it is resumed" in listed

    admin.post("/destinations/email/test", data={"csrf_token": token})
    drain("email")
    assert [mail.payload["to"] for mail in resend.mails] == [
        ["ann@example.com"],
        ["dev@example.com"],
    ]
    assert "is paused" not in admin.get("/deliveries").text
