"""`flask sync`: everything looked at again, with progress and a report in plain words."""

from __future__ import annotations

import sys
import time
import uuid

import click
from flask.cli import AppGroup, with_appcontext

from app.cli.sentences import plain_errors
from app.core.db import transaction
from app.core.errors import AppError, Conflict
from app.core.safe_text import indented, one_line
from app.models import Run
from app.reporting import syncs
from app.runs import engine
from app.sync import manual, runs, sources, trigger

LOOK_EVERY_SECONDS = 0.5
#: Where the line cannot be written over (a log file), it is written more seldom.
LOG_EVERY_SECONDS = 10.0
#: The others are on the page.
MOST_SET_ASIDE = 200
INTERRUPTED = 130
_WORDS = {
    "rows_read": "rows read",
    "sessions_created": "new sessions",
    "messages_added": "new messages",
    "completions_found": "bookings found",
    "leads_created": "new leads",
    "deliveries_enqueued": "deliveries on their way",
    "set_aside": "rows set aside",
}


@click.group("sync", cls=AppGroup, invoke_without_command=True)
@click.pass_context
@with_appcontext
def group(context: click.Context) -> None:
    """Look at every row and every open session again. Ctrl-C leaves it; run it again to go on."""
    if context.invoked_subcommand is None:
        _sync()


@group.command("install-trigger")
def install_trigger() -> None:
    """Have N8n's tables tell of new rows at once, where our database user may."""
    with transaction() as session:
        tables = [source.table for source in sources.current(session)]
    if not tables:
        raise click.ClickException("There is no site yet, so there is no table to read.")
    failed = 0
    for table in tables:
        try:
            trigger.install(table)
        except (AppError, ValueError) as error:
            failed += 1
            click.echo(f"{table}: {indented(str(error))}", err=True)
        else:
            click.echo(f"{table}: from now on it tells of new rows at once.")
    if failed:
        raise click.exceptions.Exit(1)


@plain_errors
def _sync() -> None:
    line = _Line()
    try:
        run_id = _begin()
        if run_id is None:
            click.echo("A sync is running already, in another process. This is how far it is.")
            click.echo("Ctrl-C ends only the watching.")
            run_id = _running_id()
        elif not manual.work(run_id, lambda: line.show(run_id)):
            click.echo("Another process has taken it over. This is how far it is.")
        run = _follow(run_id, line)
    except KeyboardInterrupt:
        line.end()
        click.echo("Left. What was found is kept; run flask sync again to go on.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    line.end()
    _tell(run)


def _begin() -> uuid.UUID | None:
    """A run that is ours to do; None while another process does one."""
    try:
        with transaction() as session:
            run_id = runs.take_up(session, None)
            done = runs.one(session, run_id).progress
    except Conflict:
        return _waiting_id()
    if done:
        click.echo(f"Going on with the sync that was interrupted at {done:.0%}.")
    return run_id


def _waiting_id() -> uuid.UUID | None:
    """The run that somebody asked for and no worker has begun."""
    with transaction() as session:
        run = runs.running(session)
        if run is None or engine.state(run) != "waiting":
            return None
    click.echo("A sync was asked for already and waits for a worker. It is done here instead.")
    return run.id


def _running_id() -> uuid.UUID:
    with transaction() as session:
        run = runs.running(session) or syncs.latest(session, 1)[0].run
        return run.id


def _follow(run_id: uuid.UUID, line: _Line) -> Run:
    """Wait until the run has ended, or its process is dead. Gives it."""
    while True:
        with transaction() as session:
            run = runs.one(session, run_id)
        if run.status != "running" or not engine.is_alive(run):
            return run
        line.show(run_id)
        time.sleep(LOOK_EVERY_SECONDS)


class _Line:
    """The line that says how far it is: written over on a screen, now and then in a file."""

    def __init__(self) -> None:
        self._is_screen = sys.stderr.isatty()
        self._every = LOOK_EVERY_SECONDS if self._is_screen else LOG_EVERY_SECONDS
        self._next_at = 0.0

    def show(self, run_id: uuid.UUID) -> bool:
        """At most so often. Never a reason to stop, hence False."""
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + self._every
            with transaction() as session:
                run = runs.one(session, run_id)
            words = f"{run.progress:4.0%}  {_counts(run, 'rows_read', 'completions_found')}"
            if self._is_screen:
                words = f"\r{words:<70}"
            click.echo(words, err=True, nl=not self._is_screen)
        return False

    def end(self) -> None:
        if self._is_screen:
            click.echo("\r" + " " * 70 + "\r", err=True, nl=False)


def _tell(run: Run) -> None:
    click.echo(f"{_counts(run, *runs.COUNTS[:-1])}.")
    _tell_set_aside()
    if run.status == "running":
        raise click.ClickException(
            f"It was interrupted at {run.progress:.0%}. Run flask sync again to go on."
        )
    if run.status == "failed":
        raise click.ClickException(str(run.error))
    click.echo("Done: everything was looked at.")


def _tell_set_aside() -> None:
    with transaction() as session:
        count = syncs.count_set_aside(session)
        page = syncs.set_aside_page(session, limit=MOST_SET_ASIDE)
    click.echo(f"Rows set aside because they could not be read: {count or 'none'}")
    for each in page.items:
        reason = one_line(each.row.reason)
        click.echo(f"  {one_line(each.table)} row {each.row.source_row}: {reason}")
    if count > len(page.items):
        click.echo(f"  and {count - len(page.items):,} more, on the dashboard's page Sync")


def _counts(run: Run, *names: str) -> str:
    return ", ".join(f"{run.report.get(name, 0):,} {_WORDS[name]}" for name in names)
