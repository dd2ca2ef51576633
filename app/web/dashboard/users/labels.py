"""Users in a receptionist's words."""

from __future__ import annotations

from app.models import User
from app.web.frame.labels import Badge

ROLE = {
    "admin": Badge("user-shield", "Admin", "blue"),
    "agent": Badge("headset", "Agent", "grey"),
}
MAY = {
    "agent": "Reads and reviews sessions, edits leads, archives and sends again.",
    "admin": "All of that; also deletes, and looks after users, sites, keys, sync and settings.",
}
ACTIVE = Badge("circle-check", "Active", "green")
INVITED = Badge("envelope", "Invited", "amber")
DEACTIVATED = Badge("ban", "Deactivated", "grey")
TWO_FACTOR = Badge("shield-halved", "Two-factor on", "green")


def state(user: User) -> Badge:
    if not user.is_active:
        return DEACTIVATED
    return INVITED if user.is_invited else ACTIVE


def called(user: User) -> str:
    return user.name or user.email
