"""Trying to sign in, here and in the API: bounded and counted before the secret is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app, request
from sqlalchemy.orm import Session

from app.accounts import audit, limits, two_factor, users
from app.accounts.hashing import Lane, Lanes
from app.accounts.limits import Try
from app.accounts.two_factor import Means
from app.core import clock
from app.core.addresses import rate_key
from app.core.db import db, transaction
from app.models import User
from app.web.auth import known_devices
from app.web.rates import rates

#: Of any kind, right ones too: to be refused without asking the database.
TRIES_PER_ADDRESS = "60/minute"


@dataclass(slots=True)
class _Attempt:
    """`is_right` is set by whoever has looked at the secret."""

    counted: Try
    lane: Lane
    is_right: bool = False


def verified(email: str, password: str, *, trusted: str | None = None) -> User | None:
    """The active user with this email and password. It may be that a second step is due.

    `trusted`: see `limits`; by default the known device, where this browser is one. Raises TooMany,
    for a right password too, while somebody has to wait.
    """
    with _attempt(email, trusted) as attempt:
        with attempt.lane.slot:  # taken first: who waits for it holds no connection
            user = users.verify(db.session(), email, password)
        attempt.is_right = user is not None
    return user


def second_step(user: User, code: str) -> Means | None:
    """By which means this code is right; it is used up then. None, too, when the first step counts
    no longer. Raises TooMany as above.
    """
    with _attempt(user.email, None) as attempt:
        with transaction() as session:
            means = two_factor.take(session, user, code) if _still_stands(session, user) else None
        attempt.is_right = means is not None
    return means


def done(user: User, **details: str) -> bool:
    """The user is all the way in: noted, and what went wrong before is forgotten. False when all
    sign-ins were ended since the password was looked at: then it lets nobody in.
    """
    address, device = request.remote_addr or "", known_devices.device_of(user.email)
    with transaction() as session:
        if not _still_stands(session, user):
            return False
        user.last_signed_in_at = clock.now()
        limits.forget(session, user.email, address, trusted=device)
        audit.note(
            session,
            user.id,
            "user.signed_in",
            "user",
            user.id,
            address=request.remote_addr,
            **details,
        )
    return True


def _still_stands(session: Session, user: User) -> bool:
    """Whether the user, locked and read anew here, is as it was when the password was right."""
    version = user.token_version
    locked = users.locked(session, user.id)
    return locked.is_active and locked.token_version == version


@contextmanager
def _attempt(email: str, trusted: str | None) -> Iterator[_Attempt]:
    """Count one; what happens inside says whether it was right."""
    address = request.remote_addr or ""
    rates().take(TRIES_PER_ADDRESS, "sign-in", rate_key(address))
    trusted = trusted or known_devices.device_of(email)
    lanes: Lanes = current_app.extensions["sign_in_lanes"]
    lane = lanes.trusted if trusted else lanes.strangers
    with lane.enter():
        with transaction() as session:
            attempt = _Attempt(limits.count(session, email, address, trusted=trusted), lane)
        yield attempt
        _settle(attempt, email)


def _settle(attempt: _Attempt, email: str) -> None:
    counted = attempt.counted
    if attempt.is_right:
        with transaction() as session:
            limits.give_back(session, counted)
    elif counted.locks:
        # Not each wrong password is noted: only that somebody has to wait.
        user = users.find(db.session(), email)
        with transaction() as session:
            if user is None:
                # A write where there is no such user, too, so that the time tells nothing.
                limits.touch(session, counted)
                return
            audit.note(
                session,
                user.id,
                "user.sign_in_failed",
                "user",
                user.id,
                address=request.remote_addr,
                tries=counted.tries,
            )
