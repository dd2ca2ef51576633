"""Browsers in which a user has signed in before, remembered by a cookie of their own that outlives
the sign-in. It proves nothing and lets nobody in: it only lets its user's tries count apart from
those of strangers. Ending all sign-ins of a user (a new password does) ends it, too.

The cookie holds the users last signed in here, as `user:token version:device`, signed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import NamedTuple

from flask import Response, after_this_request, current_app, request

from app.accounts import users
from app.core.crypto import Signer
from app.core.db import db
from app.core.errors import Unauthenticated
from app.models import User

COOKIE = "known_device"
LIFETIME_SECONDS = 180 * 24 * 3600
#: Users of one browser: a reception desk has several.
MOST_USERS = 5


class _Device(NamedTuple):
    user_id: str
    token_version: str
    device_id: str

    def is_of(self, user: User) -> bool:
        return (self.user_id, self.token_version) == (str(user.id), str(user.token_version))


def device_of(email: str) -> str | None:
    """The device's id where the user with this email has signed in with this browser before. Asks
    the database only for browsers in which somebody has.
    """
    devices = _read()
    user = users.find(db.session(), email) if devices else None
    return next((each.device_id for each in devices if user and each.is_of(user)), None)


def remember(user: User) -> None:
    """This browser is one of the user's, from this answer on."""
    before = _read()
    kept = next((each.device_id for each in before if each.is_of(user)), None)
    own = _Device(str(user.id), str(user.token_version), kept or secrets.token_urlsafe(16))
    others = [each for each in before if each.user_id != own.user_id]
    value = _signer().sign(_text([own, *others][:MOST_USERS]))

    @after_this_request
    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            value,
            max_age=LIFETIME_SECONDS,
            httponly=True,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            samesite="Lax",
        )
        return response


def _read() -> list[_Device]:
    value = request.cookies.get(COOKIE)
    if not value:
        return []
    try:
        text = _signer().read(value, LIFETIME_SECONDS)
        return [_Device(*each.split(":")) for each in text.split(",")]
    except (Unauthenticated, TypeError):
        return []


def _text(devices: Iterable[_Device]) -> str:
    return ",".join(":".join(each) for each in devices)


def _signer() -> Signer:
    signer: Signer = current_app.extensions["device_signer"]
    return signer
