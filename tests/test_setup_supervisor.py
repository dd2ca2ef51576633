"""`make run` once everything is installed: it serves, survives its children's deaths, and stops."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("app", "migrations", "templates", "static")
FILES = ("config.py", "config_values.py", "gunicorn.conf.py", "serve.py", "wsgi.py")
WITHIN_SECONDS = 40


class Product:
    """A copy of the program in a folder of its own, with an embedded database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.started: list[subprocess.Popen[str]] = []
        for part in PARTS:
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=ignore)
        for file in FILES:
            shutil.copy(ROOT / file, folder)

    def environ(self, **changes: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "PORT": str(self.port), "WEB_CONCURRENCY": "1", **changes}

    def start(self) -> subprocess.Popen[str]:
        """Start it and wait until web and worker are there."""
        with (self.folder / "output").open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "serve.py"],
                cwd=self.folder,
                env=self.environ(),
                stdout=output,
                stderr=output,
                text=True,
            )
        self.started.append(process)
        wait_until(lambda: self.is_ready() or process.poll() is not None, self.output)
        assert process.poll() is None, self.output()
        return process

    def refuse(self, *command: str, **changes: str) -> str:
        """Run a command that cannot work. Gives what it said; it must have failed."""
        result = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environ(**changes),
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_SECONDS,
        )
        assert result.returncode == 1
        return result.stdout + result.stderr

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def is_ready(self) -> bool:
        return "Ctrl-C" in self.output() and '"worker":"ok"' in self.get("/readyz")

    def get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return ""

    def processes(self) -> list[psutil.Process]:
        """Everything that runs in this folder, the database included."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.status() != "zombie" and self.folder in [
                Path(process.cwd()),
                *Path(process.cwd()).parents,
            ]
        except psutil.Error:
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], explain: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not holds():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.1)


def child(process: subprocess.Popen[str], word: str) -> psutil.Process | None:
    """The supervisor's child whose command holds this word."""
    for found in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.ZombieProcess):
            if word in found.cmdline():
                return found
    return None


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("product"))
    yield product
    for process in product.processes():
        process.kill()
    for started in product.started:
        started.wait()


def test_the_first_start_serves_and_its_end_leaves_nothing(product: Product) -> None:
    process = product.start()
    address = f"http://127.0.0.1:{product.port}"
    assert f"Demo page:  {address}/demo" in product.output()
    assert f"Dashboard:  {address}/" in product.output()
    assert "Sign in as: admin@example.com  password: " in product.output()
    assert product.get("/demo")
    process.send_signal(signal.SIGTERM)
    assert process.wait(WITHIN_SECONDS) == 0
    assert product.processes() == []


def test_a_web_or_worker_process_that_dies_is_started_again(product: Product) -> None:
    process = product.start()
    assert "Sign in as" not in product.output()
    for word in ("gunicorn", "worker"):
        before = child(process, word)
        assert before is not None
        before.kill()
        wait_until(
            lambda word=word, before=before: child(process, word) not in (None, before),
            product.output,
        )
        wait_until(product.is_ready, product.output)
        assert f"The {'web' if word == 'gunicorn' else 'worker'} process ended" in product.output()
    process.send_signal(signal.SIGINT)
    assert process.wait(WITHIN_SECONDS) == 0
    assert product.processes() == []


def test_a_killed_supervisor_takes_its_children_along_and_the_next_start_works(
    product: Product,
) -> None:
    process = product.start()
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    following = product.start()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    following.send_signal(signal.SIGTERM)
    assert following.wait(WITHIN_SECONDS) == 0
    assert product.processes() == []


@pytest.mark.parametrize(
    "command",
    [
        ("serve.py",),
        ("-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"),
        ("-m", "flask", "--app", "wsgi", "db-url"),
    ],
)
def test_a_wrong_setting_stops_every_start_with_one_line(
    product: Product, command: tuple[str, ...]
) -> None:
    words = product.refuse(*command, PORT="eighty")
    assert words.strip().splitlines() == [
        "PORT is 'eighty'; it must be a whole number from 1 to 65535. Example: PORT=8000"
    ]


def test_a_port_in_use_is_a_sentence_with_a_way_out(product: Product) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        words = product.refuse("serve.py", PORT=str(port))
    assert f"Port {port} is in use" in words
    assert "Stop the other program or start with PORT=" in words
    assert len(words.strip().splitlines()) == 1


def test_a_database_that_does_not_answer_is_a_sentence(product: Product) -> None:
    address = f"postgresql://user:hunter2@127.0.0.1:{free_port()}/chat"
    words = product.refuse("serve.py", DATABASE_URL=address)
    assert words.startswith("The database of DATABASE_URL does not answer: ")
    assert "hunter2" not in words
    assert len(words.strip().splitlines()) == 1
