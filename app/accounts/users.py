"""Users of the dashboard: making them, finding them, checking and setting their password."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts import limits, passwords, sign_ins
from app.core import clock, events
from app.core.errors import Conflict, Invalid, NotFound
from app.models import User
from app.models.user import ROLES
from app.models.user_access import UserLink

LONGEST_NAME = 100


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
    password = password or passwords.generate()
    user = new(session, email=email, role=role, name=name, password=password)
    return NewPassword(user, password)


def new(
    session: Session,
    *,
    email: str,
    role: str,
    name: str = "",
    password: str | None = None,
    timezone: str = "UTC",
) -> User:
    """As `create`; without a password nobody can sign in as this user yet."""
    if role not in ROLES:
        raise Invalid({"role": [f"Please choose {' or '.join(ROLES)}."]})
    email, name = _valid_email(email), valid_name(name)
    user = User(
        email=email,
        name=name,
        role=role,
        password_hash=password and passwords.hash_password(password, email=email, name=name),
        timezone=timezone,
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise Conflict(f"There is already a user with the e-mail {user.email}.") from error
    return user


def verify(session: Session, email: str, password: str) -> User | None:
    """The active user with this email and password. Takes equally long for unknown emails."""
    user = find(session, email)
    is_right = passwords.is_right(user.password_hash if user else None, password)
    return user if user and is_right and user.is_active else None


def reset_password(session: Session, email: str, password: str | None = None) -> NewPassword:
    """Set a new password, by default a generated one, and end every sign-in of this user.

    Raises NotFound and Invalid.
    """
    user = find(session, email)
    if user is None:
        raise NotFound(f"There is no user with the e-mail {email}.")
    password = password or passwords.generate()
    set_password(session, user, password)
    return NewPassword(user, password)


def set_password(session: Session, user: User, password: str) -> None:
    """Every sign-in of this user ends and every link that could set another one, and who was kept
    out for guessing may try again. Raises Invalid.
    """
    user.password_hash = passwords.hash_password(password, email=user.email, name=user.name)
    limits.forget_account(session, user.email)
    end_links(session, user.id)
    end_sign_ins(session, user)


def end_sign_ins(session: Session, user: User) -> None:
    """Every cookie and token of the user is worth nothing from here on, and the stream of news
    that an open page holds ends at once.
    """
    user.token_version += 1
    session.flush()
    sign_ins.end_all(session, user.id)
    events.announce(session, "sign_ins", user.id)


def end_links(session: Session, user_id: uuid.UUID, *, but_given: bool = False) -> None:
    """No link made before lets this user choose a password; `but_given`: except an admin's."""
    now = clock.now()
    ended = update(UserLink).where(
        UserLink.user_id == user_id, UserLink.used_at.is_(None), UserLink.expires_at > now
    )
    if but_given:
        ended = ended.where(UserLink.created_by.is_(None))
    session.execute(ended.values(expires_at=now))


def find(session: Session, email: str) -> User | None:
    """Who signs in with this e-mail, however it is capitalised."""
    email = email.strip().lower()
    if not email.isprintable():  # PostgreSQL stores no NUL and no half characters
        return None
    return session.scalar(select(User).where(User.email == email))


def get(session: Session, user_id: uuid.UUID) -> User:
    """Raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    return user


def locked(session: Session, user_id: uuid.UUID) -> User:
    """The user, for this transaction alone. Raises NotFound."""
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound("There is no such user.")
    return user


def valid_name(name: str) -> str:
    """Raises Invalid."""
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid({"name": [f"Please use at most {LONGEST_NAME} letters, without signs."]})
    return name


def _valid_email(email: str) -> str:
    try:
        found = validate_email(
            email.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise Invalid({"email": ["Please give an e-mail address like ann@example.com."]}) from error
    return found.normalized.lower()
