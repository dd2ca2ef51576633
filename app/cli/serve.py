"""`make run`: the database, its migrations, the web and the worker process, and their end.

Ctrl-C or SIGTERM stops everything it started; a web or worker process that dies is started again,
and so is a worker that gives no heartbeat. (gunicorn looks after its own workers.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from flask import Flask
from sqlalchemy.exc import OperationalError

from app.cli import ports, setup
from app.core import embedded, migrations
from app.core.db import db
from config import ROOT, ConfigError, Settings, child_environment

OLDEST_POSTGRESQL = 16
READY_WITHIN_SECONDS = 60
STOP_WITHIN_SECONDS = 10
LONGEST_PAUSE_SECONDS = 10.0
#: A child that lived this long was well; its next end is not part of a series.
SETTLED_SECONDS = 30
#: A worker's supervisor without a heartbeat for this long is replaced; while it loads, for longer.
SILENT_SECONDS = 30.0
START_WITHIN_SECONDS = 180.0


class StartError(Exception):
    """The product cannot start; the message is a sentence that says what to do."""


class Child:
    """A process that is kept running. `has_heartbeat`: it takes `--heartbeat-pipe`, and is replaced
    when it writes nothing there for as long as it may be silent.
    """

    def __init__(
        self,
        name: str,
        module: str,
        *arguments: str,
        environ: dict[str, str],
        has_heartbeat: bool = False,
    ) -> None:
        self.name = name
        supervised = [sys.executable, "-m", "app.cli.supervised", str(os.getpid())]
        self._command = [*supervised, module, *arguments]
        self._environ = environ
        self._pipe: tuple[int, int] | None = os.pipe() if has_heartbeat else None
        for end in self._pipe or ():
            os.set_blocking(end, False)
        self._pause_seconds = 0.0
        self._restart_at: float | None = None
        self._start()

    def _start(self) -> None:
        # A session of its own: Ctrl-C reaches only the supervisor, which stops things in order.
        self._started_at = time.monotonic()
        self._restart_at = None
        self._silent_seconds = 0.0
        self._listened_at = self._started_at
        self._allowed_seconds = START_WITHIN_SECONDS
        pipe = [] if self._pipe is None else [self._pipe[1]]
        heartbeat = [f"--heartbeat-pipe={end}" for end in pipe]
        self.process = subprocess.Popen(  # noqa: S603 - our own words
            [*self._command, *heartbeat],
            cwd=ROOT,
            env=self._environ,
            start_new_session=True,
            pass_fds=pipe,
        )

    def keep_running(self) -> None:
        """Start it again if it has ended: at once the first time, then after growing pauses."""
        now = time.monotonic()
        if self.process.poll() is None:
            if self._is_silent(now):
                say(f"The {self.name} process gives no heartbeat; it is replaced.")
                self.signal(signal.SIGKILL)
            return
        if self._restart_at is None:
            say(f"The {self.name} process ended ({_how(self.process.returncode)}); starting again.")
            self.signal(signal.SIGTERM)  # what it left behind may still hold the port
            if now - self._started_at > SETTLED_SECONDS:
                self._pause_seconds = 0.0
            self._restart_at = now + self._pause_seconds
            self._pause_seconds = min(self._pause_seconds * 2 or 0.5, LONGEST_PAUSE_SECONDS)
        if now >= self._restart_at:
            self._start()

    def _is_silent(self, now: float) -> bool:
        """Whether it has missed its heartbeats for too long. The time in which this process itself
        did not run counts for nothing.
        """
        if self._pipe is None:
            return False
        self._silent_seconds += min(now - self._listened_at, 1.0)
        self._listened_at = now
        with contextlib.suppress(BlockingIOError):
            while os.read(self._pipe[0], 65536):
                self._silent_seconds = 0.0
                self._allowed_seconds = SILENT_SECONDS
        return self._silent_seconds > self._allowed_seconds

    def signal(self, number: signal.Signals) -> None:
        """To the process and to everything it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def main(create_app: Callable[[Settings], Flask]) -> int:
    """Run until told to stop. The exit code: 0, or 1 when it could not start."""
    _stop_on_signals()
    try:
        settings = Settings.load()
        settings.check_web()
        ports.check_free(settings.host, settings.port)
        with _database(settings) as address:
            settings = replace(settings, database_url=embedded.sqlalchemy_url(address))
            _run(settings, _prepare(create_app(settings)))
    except (ConfigError, embedded.EmbeddedError, ports.PortError, StartError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def _stop_on_signals() -> None:
    """SIGINT also where a shell started us in the background; SIGHUP unless `nohup` forbids it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The database's address, in libpq's form; the embedded one runs as long as the block."""
    if settings.database_url:
        yield settings.libpq_url
        return
    say("Starting the database.")
    database = embedded.start(settings.instance_path)
    try:
        yield database.url
    finally:
        database.stop()


def _run(settings: Settings, prepared: setup.Prepared) -> None:
    environ = child_environment(DATABASE_URL=settings.libpq_url, FLASK_SKIP_DOTENV="1")
    children: list[Child] = []
    try:
        children.append(
            Child("web", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app", environ=environ)
        )
        worker = ("flask", "--app", "wsgi", "worker")
        children.append(Child("worker", *worker, environ=environ, has_heartbeat=True))
        _wait_until_it_answers(settings, children[0])
        _welcome(settings, prepared)
        while True:
            for child in children:
                child.keep_running()
            time.sleep(0.2)
    finally:
        _stop(children)


def _prepare(app: Flask) -> setup.Prepared:
    """Bring the database up to date and give back every connection."""
    with app.app_context():
        _check_database()
        migrations.upgrade(db.engine)
        prepared = setup.prepare(app)
        db.engine.dispose()
    return prepared


def _check_database() -> None:
    try:
        with db.engine.connect() as connection:
            version = int((connection.dialect.server_version_info or (0,))[0])
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise StartError(f"The database of DATABASE_URL does not answer: {reason}") from error
    if version < OLDEST_POSTGRESQL:
        raise StartError(
            f"The database of DATABASE_URL is PostgreSQL {version}; "
            f"{OLDEST_POSTGRESQL} or newer is needed."
        )


def _wait_until_it_answers(settings: Settings, web: Child) -> None:
    address = ports.reachable(settings.host, settings.port)
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if web.process.poll() is not None:
            raise StartError("The web process did not start; what it said stands above.")
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return
        time.sleep(0.1)
    raise StartError(f"The web process did not answer within {READY_WITHIN_SECONDS} seconds.")


def _welcome(settings: Settings, prepared: setup.Prepared) -> None:
    if not settings.is_production:
        say(f"Demo page:  {settings.public_url}/demo")
    say(f"Dashboard:  {settings.public_url}/")
    if prepared.admin_email:
        password = prepared.generated_password or "(the one in ADMIN_PASSWORD)"
        say(f"Sign in as: {prepared.admin_email}  password: {password}  (shown only this once)")
    say("Ctrl-C stops everything.")


def _stop(children: list[Child]) -> None:
    """Ask, wait, then end by force. A second Ctrl-C does not interrupt this."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + STOP_WITHIN_SECONDS
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.1, deadline - time.monotonic()))
    for child in children:
        child.signal(signal.SIGKILL)
        child.process.wait()


def _how(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"code {returncode}"


def say(line: str) -> None:
    print(line, flush=True)
