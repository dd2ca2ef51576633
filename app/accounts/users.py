"""Users of the dashboard: making them, checking their password, giving them a new one."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from app.core import clock
from app.core.errors import Conflict, Invalid, NotFound
from app.models import User
from app.models.user import ROLES

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 500
# Checked when nobody has this e-mail, so that an unknown user takes as long as a known one.
_NOBODYS_HASH = generate_password_hash(secrets.token_urlsafe(16))


class NewPassword(NamedTuple):
    """A user and the password just set, in plain text: to be shown once and forgotten."""

    user: User
    password: str


def create(
    session: Session, *, email: str, role: str, password: str | None = None, name: str = ""
) -> NewPassword:
    """A new user, in the caller's transaction. Without a password one is generated.

    Raises Invalid (e-mail, role or password) and Conflict (the e-mail is taken).
    """
    if role not in ROLES:
        raise Invalid({"role": [f"Please choose {' or '.join(ROLES)}."]})
    password = password or generate_password()
    user = User(
        email=_valid_email(email),
        name=name,
        role=role,
        password_hash=_hash(password),
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise Conflict(f"There is already a user with the e-mail {user.email}.") from error
    return NewPassword(user, password)


def verify(session: Session, email: str, password: str) -> User | None:
    """The active user with this e-mail and password. Takes equally long for unknown e-mails."""
    user = find(session, email)
    encodable = password[:LONGEST_PASSWORD].encode("utf-8", "replace").decode()
    known = user.password_hash if user else None
    is_right = check_password_hash(known or _NOBODYS_HASH, encodable) and known is not None
    return user if user and is_right and user.is_active else None


def reset_password(session: Session, email: str, password: str | None = None) -> NewPassword:
    """Set a new password, by default a generated one, and end every sign-in of this user.

    Raises NotFound and Invalid.
    """
    user = find(session, email)
    if user is None:
        raise NotFound(f"There is no user with the e-mail {email}.")
    password = password or generate_password()
    user.password_hash = _hash(password)
    user.token_version += 1
    session.flush()
    return NewPassword(user, password)


def find(session: Session, email: str) -> User | None:
    """Who signs in with this e-mail, however it is capitalised."""
    email = email.strip().lower()
    if not email.isprintable():  # PostgreSQL stores no NUL and no half characters
        return None
    return session.scalar(select(User).where(User.email == email))


def generate_password() -> str:
    """Four groups of four letters and digits: 80 bits that a person can type."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def _valid_email(email: str) -> str:
    try:
        found = validate_email(
            email.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise Invalid({"email": ["Please give an e-mail address like ann@example.com."]}) from error
    return found.normalized.lower()


def _hash(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid({"password": [f"Please use at least {SHORTEST_PASSWORD} characters."]})
    return generate_password_hash(password)
