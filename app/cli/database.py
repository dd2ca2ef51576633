"""`flask db-url` and `flask migrate`."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from app.core import migrations
from app.core.db import db
from config import Settings


@click.command("db-url")
@with_appcontext
def show_address() -> None:
    """Print the database's address, as psql takes it."""
    settings: Settings = current_app.extensions["settings"]
    click.echo(settings.libpq_url)


@click.command("migrate")
@with_appcontext
def migrate() -> None:
    """Bring the database to the newest form. `make run` does this by itself."""
    migrations.upgrade(db.engine)
    click.echo("The database is up to date.")


commands = (show_address, migrate)
