"""Trying to sign in, here and in the API: counted for the account and the address first."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from app.accounts import audit, limits, two_factor, users
from app.accounts.limits import Try
from app.accounts.two_factor import Means
from app.core import clock
from app.core.db import db, transaction
from app.models import User


def verified(email: str, password: str) -> User | None:
    """The active user with this e-mail and password. It may be that a second step is due.

    Raises TooMany, for a right password too, while the account or the address has to wait.
    """
    counted = _count(email)
    user = users.verify(db.session(), email, password)
    _settle(counted, email, is_right=user is not None)
    return user


def second_step(user: User, code: str) -> Means | None:
    """By which means this code is right; it is used up then. None, too, when the first step counts
    no longer. Raises TooMany as above.
    """
    counted = _count(user.email)
    with transaction() as session:
        means = two_factor.take(session, user, code) if _still_stands(session, user) else None
    _settle(counted, user.email, is_right=means is not None)
    return means


def done(user: User, **details: str) -> bool:
    """The user is all the way in: noted, and what went wrong before is forgotten. False when all
    sign-ins were ended since the password was looked at: then it lets nobody in.
    """
    with transaction() as session:
        if not _still_stands(session, user):
            return False
        user.last_signed_in_at = clock.now()
        limits.forget_account(session, user.email)
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


def _count(email: str) -> Try:
    with transaction() as session:
        return limits.count(session, email, request.remote_addr or "")


def _settle(counted: Try, email: str, *, is_right: bool) -> None:
    if is_right:
        with transaction() as session:
            limits.give_back(session, counted)
    elif counted.locks_account and (user := users.find(db.session(), email)):
        # Not each wrong password is noted: only that somebody has to wait.
        with transaction() as session:
            audit.note(
                session,
                user.id,
                "user.sign_in_failed",
                "user",
                user.id,
                address=request.remote_addr,
                tries=counted.tries,
            )
