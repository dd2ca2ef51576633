"""A real N8n as a process of its own: its data in a throw-away folder, its ports its own."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.core.http import Answer
from bench.servers import ROOT, free_port, running

HOME = ROOT / "instance" / "n8n"
NODE = HOME / "node" / "node_modules" / "node" / "bin"
PROGRAM = HOME / "app" / "node_modules" / "n8n" / "bin" / "n8n"
INSTALL_SECONDS = HOME / ".seconds"
NOT_INSTALLED = "N8n is not installed. `make test-n8n` installs it."
READY_WITHIN_SECONDS = 180
COMMAND_WITHIN_SECONDS = 180


class N8n:
    """`seconds`: what took how long, for the report. `settings`: more of its environment."""

    def __init__(self, folder: Path, **settings: str) -> None:
        if not PROGRAM.exists():
            pytest.exit(NOT_INSTALLED, returncode=1)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.seconds: dict[str, float] = {}
        self._process: psutil.Process | None = None
        self._env = {
            "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "N8N_USER_FOLDER": str(folder),
            "N8N_ENCRYPTION_KEY": secrets.token_hex(16),
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_PORT": str(self.port),
            # Two instances on one machine must not meet at the default one.
            "N8N_RUNNERS_BROKER_PORT": str(free_port()),
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_PERSONALIZATION_ENABLED": "false",
            "NODE_ENV": "production",
            **settings,
        }

    def load(
        self, workflows: list[Mapping[str, Any]], credentials: list[Mapping[str, Any]]
    ) -> None:
        """Import both and publish each workflow. N8n must not run."""
        started = time.monotonic()
        self._command("import:credentials", f"--input={self._file('credentials', credentials)}")
        self._command("import:workflow", f"--input={self._file('workflows', workflows)}")
        for workflow in workflows:
            self._command("publish:workflow", f"--id={workflow['id']}")
        self.seconds["import and publish"] = time.monotonic() - started

    @contextmanager
    def running(self, webhooks: list[str]) -> Iterator[None]:
        """Started, and these webhooks' paths answer."""
        started = time.monotonic()
        with running([str(NODE / "node"), str(PROGRAM), "start"], self._env) as process:
            self._process = process
            self._wait_until(lambda: self.ask("GET", "/healthz/readiness").status == 200)
            # It calls itself ready a moment before its webhooks are there.
            for path in webhooks:
                self._wait_until(lambda path=path: self._takes_posts(path))
            self.seconds["start until its webhooks answer"] = time.monotonic() - started
            yield

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def _takes_posts(self, path: str) -> bool:
        preflight = {"Origin": self.url, "Access-Control-Request-Method": "POST"}
        answer = self.ask("OPTIONS", path, headers=preflight)
        return "POST" in answer.headers.get("Access-Control-Allow-Methods", "")

    def megabytes(self) -> int:
        """Memory of N8n and of the processes it started."""
        assert self._process is not None
        every = [self._process, *self._process.children(recursive=True)]
        return sum(process.memory_info().rss for process in every) // 1_000_000

    def _wait_until(self, is_so: Any) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while True:
            try:
                if is_so():
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, "N8n did not start in time"
            time.sleep(0.2)

    def _file(self, name: str, content: list[Mapping[str, Any]]) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    def _command(self, *arguments: str) -> None:
        done = subprocess.run(
            [str(NODE / "node"), str(PROGRAM), *arguments],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
