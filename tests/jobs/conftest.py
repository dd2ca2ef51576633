"""A real worker process on the test database."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from config import ROOT
from tests.delivery.conftest import AUTH, SECRET, n8n, outbox_of
from tests.fakes.n8n import N8n

__all__ = ["n8n", "outbox_of"]

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(database_url: str, n8n: N8n) -> Iterator[Start]:
    """Starts `flask worker` with these arguments; kills at the end what still runs."""
    workers = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flask", "--app", "app", "worker", *arguments]
        environment = os.environ | {
            "APP_ENV": "development",
            "DATABASE_URL": database_url,
            "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
            "N8N_LEAD_WEBHOOK_URL": n8n.url,
            "N8N_WEBHOOK_SECRET": SECRET,
            "N8N_AUTH_HEADER_NAME": "X-Bridge",
            "N8N_AUTH_HEADER_VALUE": AUTH,
        }
        worker = subprocess.Popen(command, cwd=ROOT, env=environment)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        worker.wait()
