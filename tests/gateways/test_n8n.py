"""The lead webhook's headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks.webhooks import Webhook

from app.gateways.n8n import LeadWebhook, new_webhook_secret
from config import Settings

OLD = "whsec_" + "b2xkLXNlY3JldC1vZi0yNC1jaGFyYWN0ZXJzISE="
NEW = "whsec_" + "bmV3LXNlY3JldC1vZi0yNC1jaGFyYWN0ZXJzISE="
BODY = '{"name":"Zoë 😀"}'


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_rotating_both_secrets_sign(secret: str) -> None:
    headers = LeadWebhook("http://n8n", (NEW, OLD)).headers("id-1", BODY, datetime.now(UTC))
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert Webhook(secret).verify(BODY.encode(), headers) == {"name": "Zoë 😀"}


def test_a_moment_of_another_zone_is_signed_in_utc() -> None:
    elsewhere = datetime.now(timezone(timedelta(hours=9)))
    headers = LeadWebhook("http://n8n", (NEW,)).headers("id-1", BODY, elsewhere)
    assert Webhook(NEW).verify(BODY, headers)


def test_without_a_secret_nothing_is_signed() -> None:
    headers = LeadWebhook("http://n8n").headers("id-1", BODY, datetime.now(UTC))
    assert "webhook-signature" not in headers
    assert headers["webhook-id"] == "id-1"


def test_every_form_of_a_secret_is_confidential() -> None:
    forms = LeadWebhook("http://n8n", (OLD,), "X-Key", "Bearer abc123").confidential()
    assert set(forms) == {
        "Bearer abc123",
        "abc123",
        OLD,
        OLD.removeprefix("whsec_"),
        "old-secret-of-24-characters!!",
    }


def test_a_new_secret_is_one_key_in_two_forms() -> None:
    ours, for_n8n = new_webhook_secret()
    body = "id-1.1795340341.{}"
    signed = hmac.new(for_n8n.encode(), body.encode(), hashlib.sha256).digest()
    moment = datetime.fromtimestamp(1795340341, UTC)
    assert Webhook(ours).sign("id-1", moment, "{}") == f"v1,{base64.b64encode(signed).decode()}"
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", for_n8n)
    assert Settings.load({"N8N_WEBHOOK_SECRET": ours}).n8n_webhook_secrets == (ours,)
    assert new_webhook_secret() != (ours, for_n8n)
