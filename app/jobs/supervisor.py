"""Keep worker processes running: replace one that died, fell silent, or hangs in a job.

This process runs no code of the product's and has no thread, no database connection and no lock, so
there is nothing that could hang it. It forks: a worker starts within milliseconds, and again after
each death.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.jobs.limits import seconds_for

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.2
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: A worker without a heartbeat for this long is killed. One is due every second.
SILENT_SECONDS = 30.0
#: So many suspect jobs may run at once, each in a process of its own.
MOST_ALONE = 4
LONGEST_PAUSE_SECONDS = 10.0
#: A worker that lived this long was well; its next end is not part of a series.
SETTLED_SECONDS = 30.0
#: How often a worker that does once what is due is started again after it was killed.
MOST_ONCE = 5
#: The exit code of a process that could not work at all. Any other says that something killed it.
FAILED = 1

#: Starts work in a forked process and never returns: whether it is for suspect jobs alone, the pipe
#: for its heartbeats, and the workers (ids) that died before it.
Start = Callable[[bool, int, list[int]], None]


@dataclass(slots=True)
class Process:
    """A worker process as its supervisor knows it. `silent_seconds`: since its last heartbeat."""

    number: int
    pipe: int
    is_alone: bool
    started_at: float
    silent_seconds: float = 0.0
    worker_id: int | None = None
    alone_due: int = 0
    running: dict[str, float] = field(default_factory=dict)
    unread: bytes = b""
    is_killed: bool = False
    is_told_to_stop: bool = False

    def listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.pipe, 65536):
                self.silent_seconds = 0.0
                *lines, self.unread = (self.unread + data).split(b"\n")
                if lines:
                    beat = json.loads(lines[-1])
                    self.worker_id = beat["worker_id"] or self.worker_id
                    self.alone_due, self.running = beat["alone_due"], beat["running"]

    def trouble(self, now: float) -> str | None:
        """Why it has to be replaced."""
        if self.silent_seconds > SILENT_SECONDS:
            return f"it gave no heartbeat for {SILENT_SECONDS:.0f} s"
        for name, since in self.running.items():
            if now - since > seconds_for(name):
                return f"{name} took longer than {seconds_for(name):.0f} s"
        return None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.number, number)


class Supervisor:
    """`heartbeat_pipe`: where this process tells its own supervisor that it lives."""

    def __init__(self, start: Start, *, once: bool = False, heartbeat_pipe: int | None = None):
        self._start, self._is_once, self._heartbeat_pipe = start, once, heartbeat_pipe
        self._processes: list[Process] = []
        self._dead_workers: list[int] = []
        self._is_stopping = False
        self._starts = 0
        self._pause_seconds = 0.0
        self._start_at = 0.0
        self._exit_code: int | None = None

    def run(self) -> int:
        """Until SIGTERM or SIGINT, or until what is due is done. Gives the exit code."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)
        if self._heartbeat_pipe is not None:
            os.set_blocking(self._heartbeat_pipe, False)
        before = time.monotonic()
        while True:
            self._listen()
            now = time.monotonic()
            # A pause of this process's own, or the machine's, is nobody's silence.
            self._judge(now, min(now - before, 5 * TICK_SECONDS))
            before = now
            self._reap()
            if self._is_stopping:
                self._tell_to_stop()
            elif self._exit_code is None:
                self._start_missing()
            if not self._processes and (self._is_stopping or self._exit_code is not None):
                return self._exit_code or 0
            self._beat()

    def _stop(self, *_: object) -> None:
        """What runs is finished first; the limits go on to hold."""
        self._is_stopping = True

    def _tell_to_stop(self) -> None:
        for process in self._processes:
            if not process.is_told_to_stop:
                process.is_told_to_stop = True
                process.signal(signal.SIGTERM)

    def _listen(self) -> None:
        pipes = {process.pipe: process for process in self._processes}
        ready, _, _ = select.select(list(pipes), [], [], TICK_SECONDS)
        for pipe in ready:
            pipes[pipe].listen()
        if ready:
            time.sleep(TICK_SECONDS / 4)

    def _judge(self, now: float, passed_seconds: float) -> None:
        for process in self._processes:
            process.silent_seconds += passed_seconds
            trouble = None if process.is_killed else process.trouble(now)
            if trouble:
                logger.error("a worker process is replaced: %s", trouble)
                process.is_killed = True
                process.signal(signal.SIGKILL)

    def _reap(self) -> None:
        for process in list(self._processes):
            number, status = os.waitpid(process.number, os.WNOHANG)
            if number:
                process.listen()
                os.close(process.pipe)
                self._processes.remove(process)
                self._note_end(process, os.waitstatus_to_exitcode(status))

    def _note_end(self, process: Process, code: int) -> None:
        if code != 0 and process.worker_id is not None:
            self._dead_workers.append(process.worker_id)
        if code != 0 and not self._is_stopping:
            logger.warning("a worker process ended: %s", _how(code))
        if process.is_alone:
            return
        now = time.monotonic()
        if now - process.started_at > SETTLED_SECONDS:
            self._pause_seconds = 0.0
        self._start_at = now + self._pause_seconds
        self._pause_seconds = min(self._pause_seconds * 2 or 0.5, LONGEST_PAUSE_SECONDS)
        if self._is_once and (code in (0, FAILED) or self._starts >= MOST_ONCE):
            self._exit_code = 0 if code == 0 else FAILED

    def _start_missing(self) -> None:
        main = next((each for each in self._processes if not each.is_alone), None)
        if main is None:
            if time.monotonic() >= self._start_at:
                self._starts += 1
                self._fork(is_alone=False)
            return
        alone = len(self._processes) - 1
        # One that died leaves its job behind: the next one takes it out of its hands.
        if alone < MOST_ALONE and (main.alone_due > 0 or self._dead_workers):
            main.alone_due = max(0, main.alone_due - 1)
            self._fork(is_alone=True)

    def _fork(self, *, is_alone: bool) -> None:
        reading, writing = os.pipe()
        dead, self._dead_workers = self._dead_workers, []
        # A signal that comes between the fork and the child's own handlers waits for those.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        number = os.fork()
        if number == 0:
            for pipe in (reading, *(each.pipe for each in self._processes)):
                os.close(pipe)
            os.set_blocking(writing, False)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # Ctrl-C reaches the whole terminal group; this process passes it on as SIGTERM.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            self._start(is_alone, writing, dead)
            os._exit(FAILED)  # it never comes to this
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(writing)
        os.set_blocking(reading, False)
        self._processes.append(Process(number, reading, is_alone, time.monotonic()))

    def _beat(self) -> None:
        if self._heartbeat_pipe is not None:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(self._heartbeat_pipe, b".")


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
