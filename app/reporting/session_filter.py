"""Which sessions a list shows, and what that means in SQL."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select

from app.models import ChatSession, Delivery, Lead, Message, Site
from app.reporting.pages import AnySelect

#: All deliveries of a session arrived; some wait for their turn; some need a person.
DELIVERY_STATES = ("arrived", "waiting", "problem")
WAITING = ("pending", "failed")
PROBLEM = ("dead", "unknown")


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions; None: whatever. `started_from` is included, `started_to` is not."""

    started_from: datetime | None = None
    started_to: datetime | None = None
    completion_status: str | None = None
    archive_status: str | None = None
    qa_status: str | None = None
    channel: str | None = None
    site_key: str | None = None
    site_id: uuid.UUID | None = None
    has_contact: bool | None = None
    assistant_engaged: bool | None = None
    #: One of DELIVERY_STATES. What was cancelled does not count; without any, none is it.
    delivery: str | None = None
    #: All of them occur in the session: in its messages, or in the lead's name, e-mail, phone or
    #: company. See `app.reporting.search`.
    words: str | None = None


def filtered(statement: AnySelect, wanted: SessionFilter) -> AnySelect:
    if wanted.started_from is not None:
        statement = statement.where(ChatSession.started_at >= wanted.started_from)
    if wanted.started_to is not None:
        statement = statement.where(ChatSession.started_at < wanted.started_to)
    if wanted.assistant_engaged is not None:
        statement = statement.where(ChatSession.assistant_engaged.is_(wanted.assistant_engaged))
    if wanted.site_key is not None:
        of_site = select(Site.id).where(Site.key == wanted.site_key).scalar_subquery()
        statement = statement.where(ChatSession.site_id == of_site)
    if wanted.site_id is not None:
        statement = statement.where(ChatSession.site_id == wanted.site_id)
    if wanted.has_contact is not None:
        lead = select(Lead.id).where(
            Lead.session_id == ChatSession.id,
            or_(Lead.email.is_not(None), Lead.phone.is_not(None)),
        )
        statement = statement.where(lead.exists() if wanted.has_contact else ~lead.exists())
    if wanted.delivery is not None:
        statement = statement.where(_delivery(wanted.delivery))
    if wanted.words:
        statement = statement.where(_mentions(wanted.words))
    for column in (
        ChatSession.completion_status,
        ChatSession.archive_status,
        ChatSession.qa_status,
        ChatSession.channel,
    ):
        value = getattr(wanted, column.key)
        if value is not None:
            statement = statement.where(column == value)
    return statement


def _delivery(state: str) -> ColumnElement[bool]:
    of_session = select(Delivery.id).where(Delivery.session_id == ChatSession.id)
    if state == "arrived":
        others = of_session.where(Delivery.status.in_((*WAITING, *PROBLEM)))
        return and_(of_session.where(Delivery.status == "delivered").exists(), ~others.exists())
    statuses = WAITING if state == "waiting" else PROBLEM
    return of_session.where(Delivery.status.in_(statuses)).exists()


def _mentions(words: str) -> ColumnElement[bool]:
    said = select(Message.id).where(
        Message.session_id == ChatSession.id, Message.text.icontains(words, autoescape=True)
    )
    known = (Lead.name, Lead.email, Lead.phone, Lead.company)
    told = select(Lead.id).where(
        Lead.session_id == ChatSession.id,
        or_(*(column.icontains(words, autoescape=True) for column in known)),
    )
    return or_(said.exists(), told.exists())
