"""Users in a receptionist's words."""

from __future__ import annotations

from app.models import User
from app.web.frame.labels import Look

ROLE = {
    "admin": Look("user-shield", "Admin", "blue"),
    "agent": Look("headset", "Agent", "grey"),
}
MAY = {
    "agent": "Reads and reviews sessions, edits leads, archives and sends again.",
    "admin": "All of that; also deletes, and looks after users, sites, keys, sync and settings.",
}
ACTIVE = Look("circle-check", "Active", "green")
INVITED = Look("envelope", "Invited", "amber")
DEACTIVATED = Look("ban", "Deactivated", "grey")
TWO_FACTOR = Look("shield-halved", "Two-factor on", "green")


def state(user: User) -> Look:
    if not user.is_active:
        return DEACTIVATED
    return INVITED if user.is_invited else ACTIVE


def called(user: User) -> str:
    return user.name or user.email
