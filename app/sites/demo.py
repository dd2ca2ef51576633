"""The site that the first start makes, so that there is something to try at once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.models import Site

DEMO_KEY = "demo"


def ensure_demo_site(session: Session) -> Site | None:
    """Make `demo` when there is no site at all; None when there was one already."""
    if session.scalar(select(Site.id).limit(1)) is not None:
        return None
    now = clock.now()
    site = Site(key=DEMO_KEY, created_at=now, updated_at=now, **DEMO)
    session.add(site)
    session.flush()
    return site


def _choice(label: str) -> dict[str, str]:
    return {"value": label, "label": label}


DEMO: dict[str, object] = {
    "name": "Harbour & Oak",
    "greeting": "Hello! I am the automated assistant of Harbour & Oak. "
    "A few short questions, and one of our people will call you back.",
    "region": "GB",
    "timezone": "Europe/London",
    "colour": "#1f6f5c",
    "launcher_label": "Plan your project",
    "allowed_origins": [],
    "fields": [
        {"key": "name", "question": "What is your name?", "type": "text", "required": True},
        {
            "key": "service",
            "question": "What can we help you with?",
            "type": "choice",
            "required": True,
            "choices": [
                _choice(label) for label in ("Kitchen", "Bathroom", "Whole house", "Something else")
            ],
        },
        {
            "key": "email",
            "question": "Which e-mail address can we write to?",
            "type": "email",
            "required": True,
        },
        {
            "key": "phone",
            "question": "And a phone number, if you like a call?",
            "type": "phone",
            "required": False,
        },
    ],
    "consent": {
        "mode": "line",
        "text": "By chatting you agree that we use your details to answer your request.",
        "version": "1",
    },
    "phrases": ["within 24 hours"],
    "confirmation": "Thank you, {name}! Your request is booked and we will contact you "
    "within 24 hours.",
    "flow": {},
}
