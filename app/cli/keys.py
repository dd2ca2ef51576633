"""`flask keys`: API keys for other programs."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.accounts import api_keys
from app.cli.sentences import plain_errors
from app.core.db import transaction

group = AppGroup("keys", help="API keys for other programs.")


@group.command("create")
@click.option("--name", required=True, help="What the key is for.")
@click.option("--scopes", required=True, help="What it may do, like sessions:write,sessions:read")
@click.option("--site", help="The key of the only site it is good for. Left out: every site.")
@plain_errors
def create(name: str, scopes: str, site: str | None) -> None:
    """Make an API key and print it, once."""
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    with transaction() as session:
        made = api_keys.create(session, name=name, scopes=wanted, site_key=site)
    click.echo(f"Made the key {made.key.name} ({', '.join(made.key.scopes)}).", err=True)
    click.echo("It is shown this once. Send it in the header X-API-Key.", err=True)
    click.echo(made.plain)
