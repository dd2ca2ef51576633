"""`flask sites`: landing pages from the command line."""

from __future__ import annotations

import json
from typing import Any

import click
from flask.cli import AppGroup

from app.accounts import audit
from app.cli.sentences import plain_errors
from app.core.db import transaction
from app.sites.edit import change_site, create_site

group = AppGroup("sites", help="Landing pages and their widgets.")
#: These are given as JSON; everything else is plain text.
STRUCTURED = ("allowed_origins", "fields", "consent", "phrases", "exclusions", "link_hosts")


@group.command("create")
@click.argument("key")
@plain_errors
def create(key: str) -> None:
    """Make a site with the key KEY."""
    with transaction() as session:
        create_site(session, key)
        audit.note(session, None, "site.created", "site", key)
    click.echo(f"Made the site {key}. Its chat: /widget/{key}")


@group.command("set")
@click.argument("key")
@click.argument("settings", nargs=-1, required=True, metavar="FIELD=VALUE…")
@plain_errors
def set_values(key: str, settings: tuple[str, ...]) -> None:
    """Set fields of the site KEY, like name="Harbour & Oak" or phrases='["within 24 hours"]'."""
    values = dict(_parse(setting) for setting in settings)
    with transaction() as session:
        change_site(session, key, values)
        audit.note(session, None, "site.changed", "site", key)
    click.echo(f"Changed {', '.join(values)} of the site {key}.")


def _parse(setting: str) -> tuple[str, Any]:
    name, sign, value = setting.partition("=")
    if not sign:
        raise click.UsageError(f"Please write field=value, not {setting!r}.")
    if name not in STRUCTURED:
        return name, value
    try:
        return name, json.loads(value)
    except ValueError as error:
        raise click.UsageError(
            f"{name} is written as JSON, like phrases='[\"within 24 hours\"]'."
        ) from error
