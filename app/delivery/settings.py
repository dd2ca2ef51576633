"""What the outbox needs to know of the settings. Wiring hands them over; no Flask down here."""

from __future__ import annotations

from typing import Protocol


class DeliverySettings(Protocol):
    """Read-only; the application's own `Settings` is one."""

    @property
    def public_url(self) -> str: ...
    @property
    def n8n_lead_webhook_url(self) -> str: ...
    @property
    def n8n_webhook_secrets(self) -> tuple[str, ...]: ...
    @property
    def n8n_auth_header_name(self) -> str: ...
    @property
    def n8n_auth_header_value(self) -> str: ...
    @property
    def resend_api_key(self) -> str: ...
    @property
    def resend_from(self) -> str: ...
    @property
    def resend_api_url(self) -> str: ...
    @property
    def qa_notify_emails(self) -> tuple[str, ...]: ...


_configured: DeliverySettings | None = None


def configure(settings: DeliverySettings) -> None:
    global _configured  # noqa: PLW0603 - set once, by wiring
    _configured = settings


def current() -> DeliverySettings:
    if _configured is None:
        raise RuntimeError("delivery.configure(settings) has not been called")
    return _configured
