"""What a new installation needs before its first visitor: an admin and a site to try."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from app.accounts import users
from app.core.db import transaction
from app.core.errors import Invalid
from app.models import User
from app.sites.demo import ensure_demo_site
from config import ConfigError, Settings

DEFAULT_ADMIN_EMAIL = "admin@example.com"


@dataclass(frozen=True, slots=True)
class Prepared:
    """`generated_password`: shown once, when no admin existed and none was given."""

    admin_email: str | None
    generated_password: str | None


def prepare(app: Flask) -> Prepared:
    """Make the first admin and the demo site when there is none. Can be repeated."""
    settings: Settings = app.extensions["settings"]
    with app.app_context(), transaction() as session:
        ensure_demo_site(session)
        if session.scalar(select(User.id).where(User.role == "admin").limit(1)) is not None:
            return Prepared(None, None)
        email = settings.admin_email or DEFAULT_ADMIN_EMAIL
        try:
            made = users.create(
                session, email=email, role="admin", password=settings.admin_password or None
            )
        except Invalid as error:
            raise ConfigError(_refused(error)) from error
        made.user.timezone = settings.business_timezone
        return Prepared(made.user.email, None if settings.admin_password else made.password)


def _refused(error: Invalid) -> str:
    """The variable and what is wrong with it."""
    field, sentences = next(iter(error.errors.items()))
    example = "Example: ADMIN_PASSWORD=a-long-sentence-you-remember"
    return f"ADMIN_{field.upper()} was refused. {sentences[0]} {example}"
