"""Between the two steps of signing in: who gave the right password, in the signed cookie. It is no
sign-in: only `/login/code` reads it, for ten minutes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import session as cookie

from app.core import clock
from app.core.db import db
from app.models import User
from app.web.frame.addresses import local_path

LIFETIME_SECONDS = 600
_KEY = "second_step"


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """`next`: where to go once signed in."""

    user: User
    next: str


def remember(user: User, path: str) -> None:
    """Nothing of an earlier session is kept."""
    cookie.clear()
    cookie[_KEY] = [f"{user.id}:{user.token_version}", clock.now().timestamp(), path]


def pending() -> PendingSignIn | None:
    """Who is between the steps; nobody when it took too long or the password was changed."""
    who, at, path = cookie.get(_KEY, ("", 0, ""))
    if not who or clock.now().timestamp() - at > LIFETIME_SECONDS:
        return None
    user = _find(who)
    return PendingSignIn(user, local_path(path)) if user and user.totp_enabled_at else None


def _find(who: str) -> User | None:
    """The user, as long as nothing has ended what the right password stood for."""
    user_id, _, version = who.partition(":")
    user = db.session().get(User, uuid.UUID(user_id))
    if user is None or not user.is_active or str(user.token_version) != version:
        return None
    return user
