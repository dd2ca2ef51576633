"""The JSON of sessions, leads and messages, as the API documents it."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from app.models import ChatSession, Lead
from app.models.attribution import ATTRIBUTION_KEYS
from app.web.api.fields import Moment


class LeadSchema(Schema):
    id = fields.UUID()
    session_id = fields.UUID()
    name = fields.String()
    email = fields.String()
    phone = fields.String()
    company = fields.String()
    qualification = fields.Dict()
    consent = fields.Function(lambda lead: _consent(lead))  # noqa: PLW0108 - defined below
    missing = fields.List(fields.String())
    invalid = fields.List(fields.String())


class SessionSchema(Schema):
    """Of a `reporting.sessions.SessionRow`."""

    id = fields.UUID(attribute="session.id")
    site = fields.String(attribute="site_key")
    channel = fields.String(attribute="session.channel")
    external_session_id = fields.String(attribute="session.external_session_id")
    visitor_id = fields.String(attribute="session.visitor_id")
    started_at = Moment(attribute="session.started_at")
    last_message_at = Moment(attribute="session.last_message_at")
    message_count = fields.Integer(attribute="session.message_count")
    assistant_engaged = fields.Boolean(attribute="session.assistant_engaged")
    completion_status = fields.String(attribute="session.completion_status")
    completed_at = Moment(attribute="session.completed_at")
    completion = fields.Function(lambda row: _completion(row.session))
    archive_status = fields.String(attribute="session.archive_status")
    qa_status = fields.String(attribute="session.qa_status")
    attribution = fields.Function(lambda row: _attribution(row.session))
    lead = fields.Nested(LeadSchema)


class MessageSchema(Schema):
    id = fields.Integer()
    role = fields.String()
    text = fields.String()
    created_at = Moment()
    client_id = fields.UUID()

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """`client_id` is left out where there is none."""
        value = super().get_attribute(obj, attr, default)
        return default if attr == "client_id" and value is None else value


def _attribution(chat: ChatSession) -> dict[str, Any]:
    return {key: chat.attribution.get(key) for key in ATTRIBUTION_KEYS}


def _completion(chat: ChatSession) -> dict[str, Any] | None:
    if not chat.is_completed:
        return None
    return {
        "cause": chat.completion_cause,
        "phrase": chat.completion_phrase,
        "message_id": chat.completion_message_id,
    }


def _consent(lead: Lead) -> dict[str, Any] | None:
    if lead.consent_at is None:
        return None
    return {
        "text_version": lead.consent_text_version,
        "at": Moment()._serialize(lead.consent_at, None, lead),
    }
