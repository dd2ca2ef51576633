"""A session begins when a visitor opens the widget."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.assistants.base import Reply
from app.assistants.registry import SCRIPTED, assistant_for
from app.chat.attribution import attribution
from app.chat.messages import NO_INPUT, Conversation, StoredMessage
from app.core import clock, events
from app.core.errors import Denied
from app.core.hostnames import ascii_origin
from app.models import ChatSession, Message, Site
from app.models.site_profile import SiteProfile


@dataclass(frozen=True, slots=True)
class Started:
    session_id: uuid.UUID
    visitor_id: str
    conversation: Conversation


def start(
    session: Session,
    site: Site,
    *,
    visitor_id: str | None,
    page: Mapping[str, str],
    locale: str | None,
    timezone: str | None,
) -> Started:
    """Make a session with the assistant's greeting in it. Raises Denied for a foreign page."""
    allowed = {ascii_origin(address) for address in site.allowed_origins}
    if allowed and (ascii_origin(page.get("url", "")) or "") not in allowed:
        raise Denied("This page may not use this chat. Ask the site's owner to allow its address.")
    now = clock.now()
    replies = _opening(site.profile())
    chat = ChatSession(
        id=uuid.uuid4(),
        site_id=site.id,
        visitor_id=visitor_id or str(uuid.uuid4()),
        started_at=now,
        last_message_at=now,
        message_count=len(replies),
        attribution=attribution(page),
        page_title=page.get("title"),
        locale=locale,
        timezone=timezone,
        draft=replies[-1].draft.to_json() if replies else {},
    )
    session.add(chat)
    session.flush()
    messages = [_message(chat, reply) for reply in replies]
    session.add_all(messages)
    session.flush()
    events.announce(session, "sessions", chat.id)
    stored = [
        StoredMessage(message.id, "assistant", message.text, now, None, message.input)
        for message in messages
    ]
    shown = stored[-1].input if stored else None
    return Started(
        chat.id, chat.visitor_id, Conversation(stored, shown or NO_INPUT, chat.completion_status)
    )


def _opening(site: SiteProfile) -> list[Reply]:
    """What the one who will answer greets with: the scripted one where the site's cannot."""
    assistant = assistant_for(site)
    return (assistant if assistant.is_set_up(site) else SCRIPTED).opening(site)


def _message(chat: ChatSession, reply: Reply) -> Message:
    return Message(
        session_id=chat.id,
        role="assistant",
        text=reply.text,
        created_at=chat.started_at,
        input=reply.input.to_json(),
        is_checked=True,  # a greeting completes nothing
    )
