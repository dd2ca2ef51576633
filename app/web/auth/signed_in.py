"""A signed-in user as Flask-Login keeps it in the session cookie."""

from __future__ import annotations

import uuid

from flask import session as cookie
from flask_login import UserMixin, login_user, logout_user

from app.accounts.credentials import identity_of
from app.core.db import db
from app.core.extensions import login_manager
from app.models import User


class SignedInUser(UserMixin):  # type: ignore[misc]
    """Its id names the token version too, so that a new password ends every sign-in."""

    def __init__(self, user: User) -> None:
        self.identity = identity_of(user)
        self._id = f"{user.id}:{user.token_version}"

    def get_id(self) -> str:
        return self._id


def sign_in(user: User) -> None:
    """Start a session cookie for this user; nothing of an earlier one is kept."""
    cookie.clear()
    cookie.permanent = True
    login_user(SignedInUser(user))


def sign_out() -> None:
    logout_user()
    cookie.clear()


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load(signed_in_id: str) -> SignedInUser | None:
    user = find(signed_in_id)
    return SignedInUser(user) if user else None


def find(signed_in_id: str) -> User | None:
    """The user of `SignedInUser.get_id`, as long as nothing has ended what it stands for."""
    user_id, _, version = signed_in_id.partition(":")
    try:
        user = db.session().get(User, uuid.UUID(user_id))
    except ValueError:
        return None
    if user is None or not user.is_active or str(user.token_version) != version:
        return None
    return user
