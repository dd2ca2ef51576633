"""Shared fixtures: a real PostgreSQL, the app on it, and no way out to the internet.

`session`: for rules; everything is rolled back after the test.
`database`: for promises; really commits, every table is emptied after the test.
`client`: requests in an app context of their own. `server`: the app on a real port.
"""

from __future__ import annotations

import contextvars
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from app import create_app
from app.accounts import passwords
from app.core import crypto, embedded
from app.core.db import db
from app.core.live import hub
from app.core.migrations import upgrade
from config import Settings

ROOT = Path(__file__).resolve().parent.parent
#: CI runs everything a second time on the newest server the wheel brings.
FIRST_POSTGRES_VERSION = 16
POSTGRES_VERSION = int(os.environ.get("TEST_POSTGRES_VERSION", FIRST_POSTGRES_VERSION))
LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: Files of a minute and more. Begun first, so that in the end no process is left alone with one.
LONGEST = ("tests/test_setup", "tests/proof/", "tests/chat/test_failing_", "tests/jobs/test_poison")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    if POSTGRES_VERSION == FIRST_POSTGRES_VERSION:
        return
    # What asks no database is as right on the second one.
    without = [item for item in items if "database_url" not in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in set(without)]


@pytest.fixture(scope="session", autouse=True)
def _no_internet() -> Iterator[None]:
    """Every socket but loopback is closed: a test that reaches out fails."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """A hash costs a tenth of a second on purpose, and most tests sign somebody in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "METHOD", "scrypt:1024:8:1")
        yield


@pytest.fixture(autouse=True)
def _same_seal() -> Iterator[None]:
    """A test that seals under other keys does not leave them to the next one."""
    fernet = crypto._Box.fernet
    yield
    if fernet is not None:
        crypto._Box.fernet = fernet


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A fresh, migrated database on the embedded server, dropped at the end."""
    embedded_database = embedded.start(
        ROOT / "instance" / f"tests-{POSTGRES_VERSION}", POSTGRES_VERSION
    )
    admin_url = embedded_database.url
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        # Processes are killed here, never the machine: nothing has to wait for the disk.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f'CREATE DATABASE "{name}"')
    yield admin_url.replace("/postgres?", f"/{name}?", 1)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    embedded_database.stop()


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.load(
        {
            "DATABASE_URL": database_url,
            "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
            "RATELIMIT_ENABLED": "false",
        },
        instance_path=tmp_path_factory.mktemp("instance"),
    )


class _OwnContextClient(FlaskClient):
    """Each request gets an app context of its own, as on a real server."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return contextvars.Context().run(super().open, *args, **{"buffered": True, **kwargs})


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.test_client_class = _OwnContextClient
    # It works in a thread of its own, on what a test has not committed or counts; its tests turn
    # it on.
    app.extensions["catch_up"].is_enabled = False
    with app.app_context():
        upgrade(db.engine)
    yield app
    hub.close()  # else it goes on looking for a database that is gone
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The app's own session on one connection; whatever is committed is rolled back after."""
    with app.app_context():
        engines = db.engines
        engine = engines[None]
        connection = engine.connect()
        outer = connection.begin()
        engines[None] = connection  # type: ignore[assignment]
        options = db.session.session_factory.kw
        options["join_transaction_mode"] = "create_savepoint"
        try:
            yield db.session()
        finally:
            db.session.remove()
            del options["join_transaction_mode"]
            engines[None] = engine
            outer.rollback()
            connection.close()


@pytest.fixture
def database(app: Flask) -> Iterator[Flask]:
    """A database that really commits, in an app context; emptied after the test."""
    with app.app_context():
        yield app
        db.session.rollback()
        _empty()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def live_app(app: Flask) -> Iterator[str]:
    """The app on a free port of this machine, one thread a request. Gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True
    # The thread must not inherit a test's app context.
    thread = threading.Thread(target=contextvars.Context().run, args=(server.serve_forever,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(live_app: str, database: Flask) -> str:
    """The live app's address, on a database that is emptied after the test."""
    return live_app


def _empty() -> None:
    """A request a test has left behind may still be reading: of the two, it goes first."""
    for _ in range(10):
        try:
            return _clear()
        except OperationalError as error:
            if "deadlock detected" not in str(error):
                raise
    raise AssertionError("something keeps on reading what a test left behind")


def _clear() -> None:
    """Only what holds something: to empty forty tables takes longer than most tests."""
    with db.engine.begin() as connection:
        _wait_for_writers(connection)
        tables = connection.scalars(text(_TABLES)).all()
        if not tables:
            return
        probes = " UNION ALL ".join(
            f"SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS (SELECT FROM {table})"  # noqa: S608
            for table in tables
        )
        filled = connection.execute(text(probes)).all()
        if large := [table for table, size in filled if size > LARGE_BYTES]:
            connection.execute(text(f"TRUNCATE {', '.join(large)} CASCADE"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table, _ in filled:
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        connection.execute(text(_BEGIN_AT_ONE))


def _wait_for_writers(connection: Connection) -> None:
    """What a test has left behind may still be writing."""
    for _ in range(200):
        if not connection.scalar(text(_WRITERS)):
            return
        time.sleep(0.02)


_WRITERS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""
_TABLES = """
    SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
_BEGIN_AT_ONE = """
    SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false)
      FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
#: Of a table of this size more would be left behind than it costs to empty it.
LARGE_BYTES = 4_000_000
