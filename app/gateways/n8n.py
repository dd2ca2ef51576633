"""N8n's side of the wire: the lead webhook, signed as Standard Webhooks asks."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from standardwebhooks.webhooks import Webhook

from app.core import http

USER_AGENT = "Platform5ive/1"
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0


class WebhookSecret(NamedTuple):
    """`ours`: for N8N_WEBHOOK_SECRET. `for_n8n`: the same key as text, for N8n's credential."""

    ours: str
    for_n8n: str


def new_webhook_secret() -> WebhookSecret:
    """N8n's Crypto node takes its key as text only, so the key is 32 characters one can type."""
    key = secrets.token_urlsafe(24)
    return WebhookSecret("whsec_" + base64.b64encode(key.encode()).decode(), key)


@dataclass(frozen=True, slots=True)
class LeadWebhook:
    """A Webhook node of an N8n workflow. `secrets`: `whsec_…`; while rotating, both sign."""

    url: str
    secrets: tuple[str, ...] = ()
    auth_header_name: str = ""
    auth_header_value: str = ""

    def post(self, webhook_id: str, body: str, at: datetime) -> http.Answer:
        """Send the body, byte by byte as it is signed. Raises http.OutboundError."""
        return http.send(
            "POST",
            self.url,
            body=body.encode(),
            headers=self.headers(webhook_id, body, at),
            connect_seconds=CONNECT_SECONDS,
            total_seconds=TOTAL_SECONDS,
        )

    def headers(self, webhook_id: str, body: str, at: datetime) -> dict[str, str]:
        """`at` is the moment of this attempt: the id stays the same, the signature is new."""
        moment = at.astimezone(UTC)  # the package takes any zone for UTC
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(moment.timestamp())),
        }
        if self.secrets:
            headers["webhook-signature"] = " ".join(
                Webhook(secret).sign(webhook_id, moment, body) for secret in self.secrets
            )
        if self.auth_header_name:
            headers[self.auth_header_name] = self.auth_header_value
        return headers

    def confidential(self) -> tuple[str, ...]:
        """What must never be shown should the receiver send it back, in each of its forms."""
        forms = [self.auth_header_value, self.auth_header_value.rpartition(" ")[2]]
        for secret in self.secrets:
            encoded = secret.removeprefix("whsec_")
            # N8n's Crypto node takes the key as text, so that form is in use, too.
            key = base64.b64decode(encoded + "==").decode("utf-8", "replace")
            forms += [secret, encoded, key]
        return tuple(form for form in forms if form)
