"""A server process that is started again whenever it ends, and the ways to kill it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from bench.servers import ROOT

STOP_WITHIN_SECONDS = 12


class Service:
    """Runs `python -m app.cli.supervised module…` as `make run` does, in a group of its own.

    Started again at once however it ended; what a dead master left behind is asked to end first,
    because it may still hold the port.
    """

    def __init__(self, *module: str, env: dict[str, str], log: Path) -> None:
        own_id = str(os.getpid())
        self._command = [sys.executable, "-m", "app.cli.supervised", own_id, *module]
        self._env = env
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopping = threading.Event()
        # The child ends with the thread that started it, so one thread does all the starting.
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self.starts = 0

    def __enter__(self) -> Service:
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_stopping.set()
        self._keeper.join()

    def _keep(self) -> None:
        with self._log.open("ab") as log:
            while not self._is_stopping.is_set():
                process = subprocess.Popen(
                    self._command,
                    cwd=ROOT,
                    env=self._env,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                self._process = process
                self.starts += 1
                while process.poll() is None and not self._is_stopping.is_set():
                    time.sleep(0.02)
                _signal_group(process.pid, signal.SIGTERM)
        self._end(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN_SECONDS)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()

    @property
    def process_id(self) -> int | None:
        """Of the main process while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def kill_all(self) -> bool:
        """kill -9 of the main process and of everything it started. False when none ran."""
        number = self.process_id
        return number is not None and _signal_group(number, signal.SIGKILL)

    def kill_main(self) -> bool:
        """kill -9 of the main process alone."""
        return _kill(self.process_id)

    def kill_child(self) -> bool:
        """kill -9 of one process the main process started."""
        try:
            children = psutil.Process(self.process_id).children() if self.process_id else []
        except psutil.NoSuchProcess:
            return False
        return bool(children) and _kill(random.choice(children).pid)


def _kill(number: int | None) -> bool:
    if number is None:
        return False
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _signal_group(number: int, which: signal.Signals) -> bool:
    try:
        os.killpg(number, which)
    except ProcessLookupError:
        return False
    return True
