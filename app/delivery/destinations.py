"""Where deliveries go: one dict of kinds. Whatever goes wrong on the way is an Outcome."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from app.core import clock, http
from app.core.safe_text import indented, one_line, printable
from app.delivery import sealed
from app.delivery.answers import start_of
from app.delivery.settings import DeliverySettings, current
from app.gateways import resend
from app.gateways.n8n import LeadWebhook

#: Letters go one at a time (`claim.FEWER_AT_ONCE`), each at least this long: four a second at most,
#: where Resend takes five from all keys of an account together.
LETTER_SECONDS = 0.25
#: Quotas do not clear in the second that Resend's header may speak of.
DAY_QUOTA_WAIT_SECONDS = 3600
MONTH_QUOTA_WAIT_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A claimed delivery, as plain values: nothing of it holds a database connection."""

    id: uuid.UUID
    destination_key: str
    event: str
    body: str
    claim_token: uuid.UUID


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went. `gone`: the receiver wants nothing more; a person has to look.
    `refused`: it does not want this one, and never will. `unknown`: it may have had it before.

    `error` is one short machine word, `answer` the start of what the receiver said,
    `retry_after` its header as it came.
    """

    result: Literal["delivered", "failed", "gone", "refused", "unknown"]
    status_code: int | None = None
    error: str | None = None
    answer: str | None = None
    retry_after: str | None = None
    remote_id: str | None = None


#: How long a receiver knows a delivery again by its id, where that is not for ever. Resend: 24 h,
#: less an hour for clocks that differ.
KNOWN_AGAIN_FOR = {"email": timedelta(hours=23)}


class DestinationClient(Protocol):
    """Sends one delivery and says how it went; raises nothing a receiver could cause."""

    def send(self, delivery: Outgoing) -> Outcome: ...


class N8nDestination:
    """An N8n workflow that begins with a Webhook node."""

    def __init__(self, settings: DeliverySettings) -> None:
        self._webhook = LeadWebhook(
            settings.n8n_lead_webhook_url,
            settings.n8n_webhook_secrets,
            settings.n8n_auth_header_name,
            settings.n8n_auth_header_value,
        )

    def send(self, delivery: Outgoing) -> Outcome:
        if not self._webhook.url:
            return Outcome("failed", error="not_configured")
        try:
            answer = self._webhook.post(str(delivery.id), delivery.body, clock.now())
        except http.OutboundError as error:
            return Outcome("failed", error=error.kind)
        return self._read(answer)

    def _read(self, answer: http.Answer) -> Outcome:
        said = start_of(answer.body, self._webhook.confidential())
        if 200 <= answer.status < 300:
            return Outcome("delivered", answer.status, answer=said)
        if answer.status == 410:
            return Outcome("gone", answer.status, "gone", said)
        error = "redirected" if 300 <= answer.status < 400 else "status"
        has_wait = answer.status in (429, 503)
        retry_after = answer.headers.get("retry-after") if has_wait else None
        return Outcome("failed", answer.status, error, said, retry_after)


class EmailDestination:
    """Letters to users of the dashboard, by Resend, which knows a repeated one by its key."""

    def __init__(self, settings: DeliverySettings) -> None:
        self._mailer = resend.Mailer(
            settings.resend_api_url, settings.resend_api_key, settings.resend_from
        )

    def send(self, delivery: Outgoing) -> Outcome:
        if not self._mailer.key:
            return Outcome("failed", error="not_configured")
        letter = sealed.unseal(json.loads(delivery.body)["data"])
        if letter is None:
            return Outcome("refused", error="unreadable")
        may_end_at = time.monotonic() + LETTER_SECONDS
        try:
            answer = self._mailer.post(str(delivery.id), letter)
        except http.OutboundError as error:
            return Outcome("failed", error=error.kind)
        time.sleep(max(0.0, may_end_at - time.monotonic()))
        return self._read(answer)

    def _read(self, answer: http.Answer) -> Outcome:
        status, said = answer.status, start_of(answer.body, (self._mailer.key,))
        if 200 <= status < 300:
            return Outcome("delivered", status, answer=said, remote_id=resend.letter_id(answer))
        match status, resend.error_name(answer):
            case 401, str():
                return Outcome("gone", status, "key_refused", said)
            case 403, "invalid_api_key" | "restricted_api_key":
                return Outcome("gone", status, "key_refused", said)
            case 403, str():
                return Outcome("gone", status, "sender_refused", said)
            case 400 | 413 | 422, str():
                return Outcome("refused", status, "letter_refused", said)
            case 409, "invalid_idempotent_request":  # RESEND_FROM was another at an earlier try
                return Outcome("unknown", status, "sent_differently", said)
            case 409, _:
                return Outcome("failed", status, "still_sending", said)
            case 429, "daily_quota_exceeded":
                return Outcome("failed", status, "quota", said, str(DAY_QUOTA_WAIT_SECONDS))
            case 429, "monthly_quota_exceeded":
                return Outcome("failed", status, "quota", said, str(MONTH_QUOTA_WAIT_SECONDS))
        error = "redirected" if 300 <= status < 400 else "status"
        wait = resend.wait_seconds(answer) if status in (429, 503) else None
        return Outcome("failed", status, error, said, wait)


class ConsoleDestination:
    """Prints the lead or letter for whoever runs the program. The default where nothing is set."""

    def __init__(self, _settings: DeliverySettings) -> None:
        pass

    def send(self, delivery: Outgoing) -> Outcome:
        encoding = sys.stdout.encoding or "utf-8"
        shown = _as_text(json.loads(delivery.body))
        try:
            print(shown.encode(encoding, "replace").decode(encoding), flush=True)
        except OSError:
            return Outcome("failed", error="closed")
        return Outcome("delivered")


DESTINATIONS: dict[str, Callable[[DeliverySettings], DestinationClient]] = {
    "n8n": N8nDestination,
    "email": EmailDestination,
    "console": ConsoleDestination,
}


def active_destinations() -> tuple[str, ...]:
    """The keys of the destinations an event of now goes to."""
    return ("n8n",) if current().n8n_lead_webhook_url else ("console",)


def kind_of(destination_key: str) -> str:
    """`n8n` of `n8n` and of `n8n/site-key`."""
    return destination_key.partition("/")[0]


def client_for(destination_key: str) -> DestinationClient:
    return DESTINATIONS[kind_of(destination_key)](current())


def _as_text(body: dict[str, Any]) -> str:
    """The lead, or letter, as a person reads it. Only our own lines begin at the margin."""
    data = body["data"]
    if "subject" in data:
        return _letter_as_text(data)
    lead, session = data.get("lead") or {}, data.get("session") or {}
    known = {name: lead.get(name) for name in ("name", "email", "phone", "company")}
    known |= lead.get("qualification") or {}
    lines = [f"--- {body['type']} {body['timestamp']} ---"]
    lines += [f"{one_line(name)}: {indented(str(value))}" for name, value in known.items() if value]
    lines += [f"session: {session['dashboard_url']}"] if session.get("dashboard_url") else []
    lines += [
        f"  {line['role']}: {indented(line['text'])}" for line in data.get("transcript") or ()
    ]
    return "\n".join([*lines, "---"])


def _letter_as_text(data: dict[str, Any]) -> str:
    letter = sealed.unseal(data)
    text = letter["text"].strip() if letter else "(What it said can no longer be read.)"
    lines = ["--- e-mail ---", f"To: {', '.join(map(one_line, data['to']))}"]
    lines += [f"Subject: {one_line(data['subject'])}", "", _without_rules(printable(text)), "---"]
    return "\n".join(lines)


def _without_rules(text: str) -> str:
    """A line that would look like the beginning or end of an entry is indented."""
    return "\n".join(f"  {line}" if line.startswith("---") else line for line in text.split("\n"))
