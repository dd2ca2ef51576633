"""A signed-in user as Flask-Login keeps it in the session cookie: as the secret of a sign-in, which
is a row. Signing out deletes the row, so that a copy of the cookie is worth nothing.
"""

from __future__ import annotations

from flask import g
from flask import session as cookie
from flask_login import UserMixin, current_user, login_user, logout_user

from app.accounts import sign_ins
from app.accounts.credentials import identity_of
from app.accounts.sign_ins import Found
from app.core.db import db, transaction
from app.core.extensions import login_manager
from app.models import User
from app.web import audit
from app.web.auth import known_devices
from app.web.cookies import USER_ID


class SignedInUser(UserMixin):  # type: ignore[misc]
    def __init__(self, found: Found, secret: str) -> None:
        self.identity = identity_of(found.user, found.sign_in.id)
        self._secret = secret

    def get_id(self) -> str:
        return self._secret


def sign_in(user: User) -> None:
    """Start a session cookie for this user; nothing of an earlier one is kept. The browser is known
    as one of theirs from here on.
    """
    with transaction() as session:
        sign_in, secret = sign_ins.start(session, user, "browser")
    cookie.clear()
    cookie.permanent = True
    cookie[USER_ID] = str(user.id)
    login_user(SignedInUser(Found(user, sign_in), secret))
    known_devices.remember(user)


def sign_out() -> None:
    """End this browser's sign-in, on the server too. Other browsers stay signed in."""
    if current_user.is_authenticated:
        me = current_user.identity
        with transaction() as session:
            if sign_ins.end(session, me.user_id, me.sign_in_id):
                audit.note(session, "user.signed_out", "user", me.user_id)
    logout_user()
    cookie.clear()


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load(secret: str) -> SignedInUser | None:
    found = sign_ins.of_secret(db.session(), secret)
    if found is None:
        return None
    if sign_ins.is_use_due(found.sign_in):
        g.sign_in_to_note = found.sign_in.id
    return SignedInUser(found, secret)


def note_use() -> None:
    """Before each request, once it is known who asks: a sign-in in use lasts longer."""
    if sign_in_id := g.pop("sign_in_to_note", None):
        with transaction() as session:
            sign_ins.note_use(session, sign_in_id)
