"""Real workers in processes of their own, and what they leave when they are killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

from sqlalchemy import text

from app.core.db import transaction
from config import ROOT

#: How long a worker is waited for: on a busy machine its start alone takes half a minute.
PATIENCE_SECONDS = 120
Start = Callable[..., "subprocess.Popen[bytes]"]


@contextlib.contextmanager
def workers(database_url: str, *, module: str = "app", **settings: str) -> Iterator[Start]:
    """Starts `flask worker` on this database, with these settings and the arguments it is given,
    of the product or of another `module` that has an app; kills at the end what still runs.
    """
    started: list[subprocess.Popen[bytes]] = []
    environment = os.environ | {
        "APP_ENV": "development",
        "DATABASE_URL": database_url,
        "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
        **settings,
    }

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flask", "--app", module, "worker", *arguments]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        return started[-1]

    yield start
    for worker in started:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        worker.wait()


def let_a_minute_pass() -> None:
    """For everything by which a dead worker is recognised."""
    with transaction() as session:
        session.execute(
            text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
        )
        session.execute(
            text(
                "UPDATE deliveries SET claimed_until = claimed_until - interval '1 minute',"
                " next_attempt_at = next_attempt_at - interval '1 minute'"
            )
        )
