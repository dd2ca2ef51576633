"""What an admin decides about other users. There is always an admin who can sign in."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import two_factor, users
from app.core import events
from app.core.errors import Conflict, Invalid
from app.models import User
from app.models.user import ROLES

LAST_ADMIN = "This is the last admin who can sign in. Please make somebody else an admin first."
NOT_ONESELF = "You cannot do this to yourself. Please ask another admin."


def change_role(session: Session, user_id: uuid.UUID, role: str, by: uuid.UUID | None) -> User:
    """The new role counts from the next request on; open pages ask anew what they may show.

    Raises NotFound, Invalid (role) and Conflict (oneself, the last admin).
    """
    if role not in ROLES:
        raise Invalid({"role": [f"Please choose {' or '.join(ROLES)}."]})
    if role != "admin":
        _keep_an_admin(session, user_id)
    user = users.locked(session, user_id)
    if user.role != role:
        _not_oneself(user_id, by)
        user.role = role
        session.flush()
        events.announce(session, "sign_ins", user.id)
    return user


def deactivate(session: Session, user_id: uuid.UUID, by: uuid.UUID | None) -> User:
    """Out at once, and no link lets them in. Raises NotFound and Conflict."""
    _not_oneself(user_id, by)
    _keep_an_admin(session, user_id)
    user = users.locked(session, user_id)
    if not user.is_active:
        raise Conflict("This user was deactivated before.")
    user.is_active = False
    users.end_links(session, user_id)
    users.end_sign_ins(session, user)
    return user


def activate(session: Session, user_id: uuid.UUID) -> User:
    """Raises NotFound and Conflict."""
    user = users.locked(session, user_id)
    if user.is_active:
        raise Conflict("This user is active already.")
    user.is_active = True
    return user


def end_two_factor(session: Session, user_id: uuid.UUID, by: uuid.UUID | None) -> User:
    """For who lost their phone: one's own asks for the password, on the profile. Raises NotFound
    and Conflict.
    """
    _not_oneself(user_id, by)
    user = users.locked(session, user_id)
    if user.totp_enabled_at is None:
        raise Conflict("Two-factor sign-in is off already.")
    two_factor.disable(session, user)
    return user


def _keep_an_admin(session: Session, user_id: uuid.UUID) -> None:
    """Raises Conflict when no other admin could sign in. Two admins at once wait for each other:
    every admin's row is locked, always in the same order.
    """
    admins = session.scalars(
        select(User.id)
        .where(User.role == "admin", User.is_active, User.password_hash.is_not(None))
        .order_by(User.id)
        .with_for_update()
    ).all()
    if list(admins) == [user_id]:
        raise Conflict(LAST_ADMIN)


def _not_oneself(user_id: uuid.UUID, by: uuid.UUID | None) -> None:
    if user_id == by:
        raise Conflict(NOT_ONESELF)
