"""`flask doctor`: does what must always hold, hold?"""

from __future__ import annotations

import sys
import time

import click
from flask import current_app
from flask.cli import with_appcontext

from app.upkeep import doctor
from app.upkeep.doctor import Result
from app.upkeep.doctor_check import Check
from config import Settings

#: A check that takes longer says how far it has come, this often.
PROGRESS_SECONDS = 5.0


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Repair what is found.")
@with_appcontext
def command(*, fix: bool) -> None:
    """Check what must always hold: completed sessions, leads, deliveries, counters."""
    results = doctor.examine(fix=fix, tell=_Progress())
    checks = {check.key: check for check in doctor.CHECKS}
    for result in results:
        _print(checks[result.check], result, fix=fix)
    wrong = sum(not result.is_well for result in results)
    if not wrong:
        click.echo("All is well.")
        return
    click.echo(
        "Some of this could not be repaired. The log says more."
        if fix
        else "Repair it: flask doctor --fix"
    )
    sys.exit(1)


def _print(check: Check, result: Result, *, fix: bool) -> None:
    if not result.count:
        click.echo(f"ok     {check.holds}")
        return
    repaired = f", {result.repaired} repaired" if fix else ""
    state = "fixed" if result.is_well else "wrong"
    click.echo(f"{state}  {check.holds}")
    click.echo(f"       {doctor.in_words(check, result.count)}{repaired}:")
    settings: Settings = current_app.extensions["settings"]
    for path in result.examples:
        click.echo(f"       {settings.public_url}{path}")
    if result.count > len(result.examples):
        click.echo(f"       and {result.count - len(result.examples)} more")


class _Progress:
    """Says on stderr how far a long check has come."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, check: Check, done: float, found: int) -> None:
        if time.monotonic() - self._said_at >= PROGRESS_SECONDS:
            self._said_at = time.monotonic()
            click.echo(f"       {check.holds} {done:.0%} looked at, {found} wrong", err=True)
