"""A new link for a user: sent by email, or kept in the cookie to be shown once on their page."""

from __future__ import annotations

import uuid

from flask import flash
from flask import session as cookie
from sqlalchemy.orm import Session

from app.accounts import links
from app.core.crypto import seal, unseal
from app.models import User

#: Where the cookie keeps whose link there is to be shown, and the link, sealed.
_NEW_LINK = "new_link"


def hand_over(session: Session, user: User, *, by_mail: bool, by: User) -> None:
    """Send the user, locked by the caller, a new link; or keep it, to be shown on the next page."""
    purpose: links.Purpose = "invite" if user.is_invited else "reset"
    if by_mail and links.are_sent():
        links.send(session, user, purpose, by=by)
        flash(f"A letter with a link is on its way to {user.email}.")
    else:
        cookie[_NEW_LINK] = [str(user.id), seal(links.make(session, user, purpose, by.id))]


def take_new_link(user_id: uuid.UUID) -> str | None:
    """The link kept for this user's page, which is shown no second time."""
    link_user_id, link = cookie.get(_NEW_LINK, ("", ""))
    new_link = unseal(link) if link_user_id == str(user_id) else None
    if new_link:
        cookie.pop(_NEW_LINK)
    return new_link
