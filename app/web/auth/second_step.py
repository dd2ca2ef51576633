"""Between the two steps of signing in: who gave the right password, in the signed cookie. It is no
sign-in: only `/login/code` reads it, for ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import session as cookie

from app.core import clock
from app.models import User
from app.web.auth.signed_in import SignedInUser, find
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
    cookie[_KEY] = [SignedInUser(user).get_id(), clock.now().timestamp(), path]


def pending() -> PendingSignIn | None:
    """Who is between the steps; nobody when it took too long or the password was changed."""
    signed_in_id, at, path = cookie.get(_KEY, ("", 0, ""))
    if not signed_in_id or clock.now().timestamp() - at > LIFETIME_SECONDS:
        return None
    user = find(signed_in_id)
    return PendingSignIn(user, local_path(path)) if user and user.totp_enabled_at else None
