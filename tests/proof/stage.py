"""The whole product on a database of its own, with a receiver in N8n's place."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import servers
from bench.setup import prepare_database
from tests.proof import receiver
from tests.proof.services import Service

LETHAL = "tests.proof.apps.lethal"


@dataclass(slots=True)
class Stage:
    """Addresses, and what runs now. `folder` keeps the logs and the counters of named points."""

    database_url: str
    port: int
    receiver: receiver.Receiver
    receiver_port: int
    folder: Path

    def query(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(statement, arguments).fetchall()  # type: ignore[arg-type]

    @contextmanager
    def product(
        self,
        points: dict[str, tuple[int, int]] | None = None,
        *,
        hurries: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> Iterator[tuple[Service, Service]]:
        """The web and the worker process, kept running.

        With points they die there by themselves; who hurries waits less for what died.
        `settings`: environment variables on top of the usual ones.
        """
        module = LETHAL if points or hurries else "wsgi"
        env = servers.environment(
            self.database_url,
            self.port,
            N8N_LEAD_WEBHOOK_URL=f"http://127.0.0.1:{self.receiver_port}/webhook/lead",
            N8N_WEBHOOK_SECRET=receiver.SECRET,
            PROOF_FOLDER=str(self.folder),
            PROOF_POINTS=json.dumps(points or {}),
            PROOF_HURRIES="1" if hurries else "",
            **(settings or {}),
        )
        web = ("gunicorn", "-c", "gunicorn.conf.py", f"{module}:app")
        worker = ("flask", "--app", module, "worker")
        with (
            Service(*web, env=env, log=self.folder / "web.log") as web_service,
            Service(*worker, env=env, log=self.folder / "worker.log") as worker_service,
        ):
            try:
                servers.wait_until_open(self.port)
            except OSError as error:
                error.add_note((self.folder / "web.log").read_text()[-2000:])
                raise
            yield web_service, worker_service

    def times_killed(self, point: str) -> int:
        """How often a process died at this named point."""
        counter = self.folder / point
        return counter.read_text().split().count("killed") if counter.exists() else 0

    def wait_until_settled(self, seconds: float) -> float:
        """Until every message is answered and every delivery is over; gives how long it took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.query(_IS_SETTLED) == [(True,)]:
                break
            time.sleep(0.2)
        return time.monotonic() - started


_IS_SETTLED = """
    SELECT NOT EXISTS (SELECT FROM turns)
       AND NOT EXISTS (SELECT FROM deliveries WHERE status IN ('pending', 'failed'))
"""


@contextmanager
def stage(sites: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[Stage]:
    """`sites`: to create besides the demo site, their values by key."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="p5-proof-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        address = stack.enter_context(servers.fresh_database())
        prepare_database(address, sites)
        receiver_port = servers.free_port()
        taker = stack.enter_context(receiver.listening(receiver_port))
        yield Stage(address, servers.free_port(), taker, receiver_port, folder)
