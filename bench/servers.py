"""Processes for a benchmark or a proof: a throw-away database, gunicorn, a worker, two cores."""

from __future__ import annotations

import atexit
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import create_engine

from app.core import embedded
from app.core.migrations import upgrade

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "a-secret-for-benchmarks-of-enough-length"


def use_two_cores() -> None:
    """Keep this process and its children on two cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:2]))


@contextmanager
def fresh_database() -> Iterator[str]:
    """A migrated database on an embedded PostgreSQL 16 of its own; gives its address."""
    folder = Path(tempfile.mkdtemp(prefix="p5-bench-"))
    # At exit the package stops its servers once more, which brings their lock files back.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = embedded.start(folder)
    try:
        address = server.url
        engine = create_engine(embedded.sqlalchemy_url(address))
        upgrade(engine)
        engine.dispose()
        yield address
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(database_url: str, port: int, **more: str) -> dict[str, str]:
    """What a server process of a benchmark is told; nothing of the caller's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "SECRET_KEY": SECRET_KEY,
        "WEB_CONCURRENCY": "2",
        "RATELIMIT_ENABLED": "false",
        "PYTHONPATH": str(ROOT),
        **more,
    }


@contextmanager
def gunicorn(module: str, env: dict[str, str]) -> Iterator[psutil.Process]:
    """Serve `module:app` with the product's own gunicorn settings; gives the master process."""
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", f"{module}:app"]
    with running(command, env) as process:
        wait_until_open(int(env["PORT"]))
        yield process


@contextmanager
def running(command: list[str], env: dict[str, str]) -> Iterator[psutil.Process]:
    """A process of ours, stopped by its own id at the end. What it says is shown if that fails."""
    log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed with the block
    child = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
    )
    try:
        yield psutil.Process(child.pid)
    except BaseException as error:
        log.seek(0)
        error.add_note(log.read()[-2000:])
        raise
    finally:
        log.close()
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def wait_until_open(port: int, seconds: float = 120) -> None:
    """Until something answers HTTP on the port."""
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            connection.close()
        except OSError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)
        else:
            return
