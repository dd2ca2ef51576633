"""Mixed histories of a site for tests, and what a rule would do to them, told the slow way."""

from __future__ import annotations

import random
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.completion.detection import Rule
from app.core import clock
from app.models import ChatSession, Message, Site
from tests.factories import make_chat, make_message

SAID = (
    "Hello!",
    "What is your e-mail?",
    "We call you within 24 hours.",
    "We will not call you within 24 hours.",
    "You are booked for Monday.",
    "We are not open today. We call within 24h.",
    "Wir melden uns innerhalb von 24 Stunden.",
)


def make_history(session: Session, site: Site, sessions: int, seed: int = 5) -> list[uuid.UUID]:
    """Open, completed by a layer, completed by hand, discounted; greetings that promise, too."""
    pick = random.Random(seed)
    return [_make_session(session, site, pick).id for _ in range(sessions)]


def _make_session(session: Session, site: Site, pick: random.Random) -> ChatSession:
    chat = make_chat(session, site)
    roles = pick.choices(("assistant", "visitor", "agent", "system"), (6, 5, 1, 1), k=6)
    said: list[Message] = [
        make_message(session, chat, role=role, text=pick.choice(SAID), is_checked=True)
        for role in roles[: pick.randint(0, 6)]
    ]
    kind = pick.choice(("open", "open", "layer", "user", "discounted"))
    if kind in ("layer", "user") and said:
        chat.completion_status, chat.completed_at = "completed", clock.now()
        chat.completion_cause = "sweep" if kind == "layer" else "user"
        chat.completion_phrase = "within 24 hours" if kind == "layer" else None
        chat.completion_message_id = said[-1].id if kind == "layer" else None
    elif kind == "discounted" and said:
        chat.discounted_message_id = pick.choice(said).id
        chat.discounted_until = chat.started_at
    session.flush()
    return chat


def brute_force(session: Session, site: Site, rule: Rule) -> dict[str, set[uuid.UUID]]:
    """Which sessions the rule would newly complete and which it would not have, one at a time."""
    found: dict[str, set[uuid.UUID]] = {"newly": set(), "no_longer": set()}
    for chat in session.scalars(select(ChatSession).where(ChatSession.site_id == site.id)):
        confirms = False
        spoke = False
        for line in session.scalars(
            select(Message).where(Message.session_id == chat.id).order_by(Message.id)
        ):
            spoke = spoke or line.role == "visitor"
            is_new = chat.discounted_message_id is None or line.id > chat.discounted_message_id
            if spoke and line.role == "assistant" and is_new and rule.find(line.text):
                confirms = True
        if chat.completion_status == "in_progress" and confirms:
            found["newly"].add(chat.id)
        if chat.is_completed and chat.completion_cause != "user" and not confirms:
            found["no_longer"].add(chat.id)
    return found
