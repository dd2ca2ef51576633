"""500 visitors of an assistant that takes 3 seconds. Goal: 95 % are answered within 3.6 s.

2 gunicorn processes, the database and the visitors share two cores; visitors read event streams
as the widget does. Ten open dashboard pages listen for live updates. Never may there be more
database connections than the two pools and one listener for each process.
"""

from __future__ import annotations

import multiprocessing
import re
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg
import requests

from bench import crowd, servers
from bench.setup import prepare_database
from config import Settings

GOAL_SECONDS = 3.6
GOAL_SHARE = 0.95
PROCESSES = 2
READERS = 10
SAMPLE_EVERY_SECONDS = 0.25


@dataclass(slots=True)
class Peaks:
    """The most that was ever seen at once, of the server's processes together."""

    connections: int = 0
    busy_connections: int = 0
    memory_mb: float = 0.0
    threads: int = 0
    processor_seconds: dict[int, float] = field(default_factory=dict)


def main() -> int:
    servers.use_two_cores()
    with servers.fresh_database() as address:
        prepare_database(address)
        with psycopg.connect(address) as connection:
            connection.execute("UPDATE sites SET assistant = 'slow', updated_at = now()")
        port = servers.free_port()
        env = servers.environment(address, port, WEB_CONCURRENCY=str(PROCESSES))
        with (
            servers.gunicorn("bench.apps.slow_wsgi", env) as master,
            _readers(port),
            _watched(address, master) as peaks,
        ):
            before = _memory_mb(master)
            started = time.perf_counter()
            seen = _in_own_process(port, crowd.Plan())
            seconds = time.perf_counter() - started
        most_connections = PROCESSES * (_pool_size(address) + 1)
    return _report(seen, peaks, before, seconds, most_connections)


def _in_own_process(port: int, plan: crowd.Plan) -> crowd.Seen:
    """The visitors must not slow down the sampling, nor it them."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(crowd.run, (port, plan))


def _pool_size(address: str) -> int:
    settings = Settings.load(
        {"DATABASE_URL": address, "SECRET_KEY": "a-secret-for-benchmarks-only-0"}
    )
    options = settings.flask_config()["SQLALCHEMY_ENGINE_OPTIONS"]
    return int(options["pool_size"]) + int(options["max_overflow"])


@contextmanager
def _readers(port: int) -> Iterator[None]:
    """Open dashboard pages: their event streams make each process listen to the database."""
    house = f"http://127.0.0.1:{port}"
    with requests.Session() as person:
        form = person.get(f"{house}/login", timeout=30).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        assert token is not None, "the sign-in page has no form"
        person.post(
            f"{house}/login",
            {
                "email": "admin@example.com",
                "password": "a long enough password",
                "csrf_token": token[1],
            },
            timeout=30,
        ).raise_for_status()
        streams = [
            requests.get(f"{house}/live", cookies=person.cookies, stream=True, timeout=30)
            for _ in range(READERS)
        ]
        types = {stream.headers["Content-Type"].partition(";")[0] for stream in streams}
        assert types == {"text/event-stream"}, f"the live updates answer {types}"
        try:
            yield
        finally:
            for stream in streams:
                stream.close()


@contextmanager
def _watched(address: str, master: psutil.Process) -> Iterator[Peaks]:
    peaks = Peaks()
    is_over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(address, master, peaks, is_over))
    watcher.start()
    try:
        yield peaks
    finally:
        is_over.set()
        watcher.join()


_CONNECTIONS = """
    SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def _watch(address: str, master: psutil.Process, peaks: Peaks, is_over: threading.Event) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        while not is_over.wait(SAMPLE_EVERY_SECONDS):
            row = connection.execute(_CONNECTIONS).fetchone()
            assert row is not None
            peaks.connections = max(peaks.connections, row[0])
            peaks.busy_connections = max(peaks.busy_connections, row[1])
            processes = [master, *master.children()]
            peaks.memory_mb = max(peaks.memory_mb, _memory_mb(master))
            peaks.threads = max(peaks.threads, sum(each.num_threads() for each in processes))
            for each in processes:
                times = each.cpu_times()
                peaks.processor_seconds[each.pid] = times.user + times.system


def _memory_mb(master: psutil.Process) -> float:
    return sum(each.memory_info().rss for each in [master, *master.children()]) / 2**20


def _report(
    seen: crowd.Seen, peaks: Peaks, before: float, seconds: float, most_connections: int
) -> int:
    answers = sorted(seen.answer_seconds)
    quantiles = statistics.quantiles(answers, n=100)
    in_time = sum(each <= GOAL_SECONDS for each in answers) / len(answers)
    errors = sum(seen.errors.values())
    rows = {
        "messages answered": f"{len(answers)} in {seconds:.0f} s",
        "answer time, median": f"{quantiles[49]:.2f} s",
        "answer time, 95 %": f"{quantiles[94]:.2f} s",
        "answer time, 99 %": f"{quantiles[98]:.2f} s",
        "answer time, longest": f"{answers[-1]:.2f} s",
        "opening the chat, 95 %": f"{statistics.quantiles(seen.open_seconds, n=100)[94]:.2f} s",
        "errors": ", ".join(f"{n} × {name}" for name, n in seen.errors.items()) or "none",
        "database connections, most": f"{peaks.connections}, at most {most_connections} allowed",
        "of these busy at once, most": str(peaks.busy_connections),
        "memory of the web processes": f"{before:.0f} MB before, at most {peaks.memory_mb:.0f} MB",
        "threads of the web processes": str(peaks.threads),
        "processor time of the web processes": f"{sum(peaks.processor_seconds.values()):.1f} s",
    }
    for name, value in rows.items():
        print(f"{name:<38}{value}")
    is_met = in_time >= GOAL_SHARE and not errors and peaks.connections <= most_connections
    print(
        f"{in_time:.1%} within {GOAL_SECONDS} s, {errors} errors, {peaks.connections} connections,"
        f" goal {GOAL_SHARE:.0%}, 0, {most_connections}: {'met' if is_met else 'MISSED'}"
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
