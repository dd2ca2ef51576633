"""`flask keys`: API keys for other programs."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.accounts import api_keys, audit
from app.cli.sentences import plain_errors
from app.core.db import transaction
from app.gateways.n8n import new_webhook_secret

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
        audit.note(session, None, "key.created", "key", made.key.id, name=made.key.name)
    click.echo(f"Made the key {made.key.name} ({', '.join(made.key.scopes)}).", err=True)
    click.echo("It is shown this once. Send it in the header X-API-Key.", err=True)
    click.echo(made.plain)


@group.command("webhook-secret")
def webhook_secret() -> None:
    """Make a secret that signs leads on their way to N8n, in our form and in N8n's."""
    made = new_webhook_secret()
    click.echo("Here, as the setting N8N_WEBHOOK_SECRET:", err=True)
    click.echo(made.ours)
    click.echo("In N8n, as the Hmac Secret of the credential of type Crypto:", err=True)
    click.echo(made.for_n8n)
    click.echo("Nothing was stored. Who has one of the two can sign leads.", err=True)
