"""One-time links with which a user chooses a password: an invitation, or after forgetting it."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import users
from app.core import clock
from app.core.errors import Conflict, NotFound
from app.delivery import letters
from app.delivery.letters import Letter
from app.delivery.settings import current
from app.models import User
from app.models.user_access import UserLink

Purpose = Literal["invite", "reset"]
LIFETIME = {"invite": timedelta(days=7), "reset": timedelta(hours=1)}
#: Letters that somebody who forgot the password gets within an hour, however often they ask.
MOST_LETTERS_AN_HOUR = 3
PATH = "/login/password/"

USED = "This link has been used. If you have no password now, ask for a new link."
OVER = "This link has expired, or a newer one was made. Please ask for a new one."
UNKNOWN = "This link is not complete. Please copy all of it, or ask for a new one."


def make(
    session: Session, user: User, purpose: Purpose, created_by: uuid.UUID | None = None
) -> str:
    """A new link's address, to be shown or sent once, for the user, whom the caller has locked or
    just made. Older links of the user end. One that nobody is known to have asked for (no
    `created_by`) leaves those of an admin: anybody could end an invitation with it.
    """
    users.end_links(session, user.id, but_given=created_by is None)
    token, now = secrets.token_urlsafe(32), clock.now()
    session.add(
        UserLink(
            user_id=user.id,
            purpose=purpose,
            token_hash=_hash(token),
            created_at=now,
            expires_at=now + LIFETIME[purpose],
            created_by=created_by,
        )
    )
    session.flush()
    return f"{current().public_url}{PATH}{token}"


def read(session: Session, token: str) -> tuple[UserLink, User]:
    """What a link is for, and whose it is. Raises NotFound and Conflict, saying what to do."""
    link = session.scalar(select(UserLink).where(UserLink.token_hash == _hash(token)))
    if link is None:
        raise NotFound(UNKNOWN)
    if link.used_at is not None:
        raise Conflict(USED)
    user = users.get(session, link.user_id)
    if link.expires_at <= clock.now() or not user.is_active:
        raise Conflict(OVER)
    return link, user


def use(session: Session, token: str, password: str, name: str | None = None) -> User:
    """Set the password, and the name where one is given. Of two clicks at once one is refused.

    Raises NotFound, Conflict and Invalid; then the link can still be used.
    """
    link, _ = read(session, token)
    # Always the user first, then the link, as whoever ends all links does.
    user = users.locked(session, link.user_id)
    session.refresh(link)
    read(session, token)
    if name is not None:
        user.name = users.valid_name(name)
    users.set_password(session, user, password)
    link.used_at = clock.now()
    session.flush()
    return user


def send(session: Session, user: User, purpose: Purpose, *, by: User | None = None) -> None:
    """A letter with a new link. `by`: who asked, when it was not the user."""
    link = make(session, user, purpose, by.id if by else None)
    values = {"link": link, "name": user.name, "by": (by.name or by.email) if by else ""}
    if purpose == "invite":
        letter = Letter([user.email], "You are invited to Platform 5ive", "invitation", values)
        letters.enqueue(session, "user.invited", letter)
    else:
        letter = Letter([user.email], "Choose a new password", "password_reset", values)
        letters.enqueue(session, "user.reset", letter)


def send_forgotten(session: Session, user_id: uuid.UUID) -> bool:
    """The letter for whoever forgot the password; False when there have been enough of them."""
    user = users.locked(session, user_id)
    since = clock.now() - timedelta(hours=1)
    sent = select(func.count()).where(
        UserLink.user_id == user_id,
        UserLink.purpose == "reset",
        UserLink.created_by.is_(None),
        UserLink.created_at > since,
    )
    if not user.is_active or (session.scalar(sent) or 0) >= MOST_LETTERS_AN_HOUR:
        return False
    send(session, user, "reset")
    return True


def are_sent() -> bool:
    """Whether letters reach a mailbox; without a mail service they are printed on the console."""
    return letters.destination() == "email"


def _hash(token: str) -> str:
    """A token has 256 bits of chance in it: a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
