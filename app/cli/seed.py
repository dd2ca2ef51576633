"""`flask seed`: a made-up history, to try the product at size."""

from __future__ import annotations

import secrets
import time

import click
from flask import current_app
from flask.cli import with_appcontext

from app.cli.sentences import plain_errors
from app.upkeep.seed import seed
from config import Settings


@click.command("seed")
@click.option("--sessions", type=click.IntRange(1, 50_000_000), required=True)
@click.option("--random-seed", type=click.IntRange(0, 2**31), help="The same gives the same.")
@click.option("--memory-rows", is_flag=True, help="Those of N8n have rows in its table, too.")
@click.option("--yes", is_flag=True, help="In production, too.")
@with_appcontext
@plain_errors
def command(*, sessions: int, random_seed: int | None, memory_rows: bool, yes: bool) -> None:
    """Add made-up sessions with messages, leads and deliveries. Nothing of it is sent."""
    settings: Settings = current_app.extensions["settings"]
    if settings.is_production and not yes:
        raise click.ClickException(
            "This is production: made-up sessions would stand among real ones. "
            "If that is what you want, add --yes."
        )
    began = time.monotonic()
    number = secrets.randbelow(2**31) if random_seed is None else random_seed
    click.echo(f"Random seed {number}")

    def tell(done: int, lines: int) -> None:
        click.echo(
            f"{done / sessions:5.0%}  {done:,} sessions, {lines:,} messages, "
            f"{time.monotonic() - began:.0f} s",
            err=True,
        )

    lines = seed(sessions, random_seed=number, memory_rows=memory_rows, tell=tell)
    click.echo(
        f"Added {sessions:,} sessions with {lines:,} messages in {time.monotonic() - began:.0f} s."
    )
