"""`flask users`: make a user, give one a new password."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.accounts import audit, roles, users
from app.accounts.users import NewPassword
from app.core.db import transaction
from app.core.errors import AppError, Invalid, NotFound
from app.models.user import ROLES

group = AppGroup("users", help="Users of the dashboard.")


@group.command("create")
@click.option("--email", required=True, help="What they sign in with.")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--name", default="", help="Shown in the dashboard.")
@click.option("--password", help="Left out: one is made and printed, once.")
def create(email: str, role: str, name: str, password: str | None) -> None:
    """Make a user."""
    try:
        with transaction() as session:
            made = users.create(session, email=email, role=role, name=name, password=password)
            audit.note(session, None, "user.created", "user", made.user.id, role=role)
    except AppError as error:
        raise click.ClickException(_words(error)) from error
    click.echo(f"Made {made.user.email} ({made.user.role}).")
    _print_generated(made, password)


@group.command("reset-password")
@click.option("--email", required=True)
@click.option("--password", help="Left out: one is made and printed, once.")
def reset_password(email: str, password: str | None) -> None:
    """Set a new password and sign the user out everywhere."""
    try:
        with transaction() as session:
            changed = users.reset_password(session, email, password)
            audit.note(session, None, "password.reset", "user", changed.user.id)
    except AppError as error:
        raise click.ClickException(_words(error)) from error
    click.echo(f"{changed.user.email} has a new password and is signed out everywhere.")
    _print_generated(changed, password)


@group.command("end-two-factor")
@click.option("--email", required=True)
def end_two_factor(email: str) -> None:
    """Let a user who lost their authenticator app sign in with the password alone."""
    try:
        with transaction() as session:
            user = users.find(session, email)
            if user is None:
                raise NotFound(f"There is no user with the e-mail {email}.")
            roles.end_two_factor(session, user.id, None)
            audit.note(session, None, "two_factor.disabled", "user", user.id)
    except AppError as error:
        raise click.ClickException(_words(error)) from error
    click.echo(f"{user.email} signs in with the password alone now.")


def _print_generated(result: NewPassword, given: str | None) -> None:
    if not given:
        click.echo(f"Password: {result.password}")


def _words(error: AppError) -> str:
    if isinstance(error, Invalid):
        return " ".join(f"{field}: {' '.join(texts)}" for field, texts in error.errors.items())
    return error.detail
