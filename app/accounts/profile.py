"""What a user decides about themselves."""

from __future__ import annotations

import uuid

import pytz
from sqlalchemy.orm import Session

from app.accounts import users
from app.core.errors import Invalid
from app.models import User
from app.models.user import THEMES


def change(
    session: Session, user_id: uuid.UUID, *, name: str, timezone: str, theme: str, notices: bool
) -> list[str]:
    """Gives which of them changed, in the caller's transaction. Raises Invalid and NotFound."""
    errors: dict[str, list[str]] = {}
    try:
        name = users.valid_name(name)
    except Invalid as error:
        errors |= error.errors
    if timezone not in pytz.all_timezones_set:
        errors["timezone"] = ["Please choose one of the list."]
    if theme not in THEMES:
        errors["theme"] = ["Please choose one of them."]
    if errors:
        raise Invalid(errors)
    user = users.locked(session, user_id)
    values = {"name": name, "timezone": timezone, "theme": theme, "wants_notices": notices}
    changed = [key for key, value in values.items() if getattr(user, key) != value]
    for key in changed:
        setattr(user, key, values[key])
    return changed


def set_theme(session: Session, user_id: uuid.UUID, theme: str) -> User:
    """Raises Invalid and NotFound."""
    if theme not in THEMES:
        raise Invalid({"theme": ["Please choose one of them."]})
    user = users.locked(session, user_id)
    user.theme = theme
    return user
