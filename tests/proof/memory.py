"""N8n's memory written late, out of order and partly rolled back, under kill -9: nothing is missed.

Eight connections take row numbers, wait, and commit or roll back, while web and worker are killed
and started again at random and somebody looks at the dashboard.
"""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from bench import servers
from bench.setup import EMAIL, PASSWORD
from tests.proof import memory_checks
from tests.proof.checks import Check
from tests.proof.memory_plan import Conversation
from tests.proof.memory_writer import CONNECTIONS, MAKE, Writers
from tests.proof.services import Service
from tests.proof.stage import Stage, stage


@dataclass(frozen=True, slots=True)
class Size:
    """`most_rows`: that one transaction of N8n writes; `longest_life_seconds`: between kills."""

    conversations: int
    longest_delay_seconds: float
    most_rows: int
    longest_life_seconds: float
    settles_within_seconds: float
    hurries: bool


FULL = Size(5_000, 30.0, 60, 12.0, 600.0, hurries=False)
MIDDLE = Size(600, 10.0, 40, 8.0, 240.0, hurries=False)
# A table over whose rows a process died is left alone for a minute.
SMALL = Size(80, 3.0, 8, 1.5, 300.0, hurries=True)
SIZES = {"--small": SMALL, "--middle": MIDDLE}
LOOK_EVERY_SECONDS = 0.4


def run(size: Size) -> bool:
    """Run it and print what happened. True when every promise was kept."""
    started = time.monotonic()
    conversations = [Conversation(number) for number in range(size.conversations)]
    kills: Counter[str] = Counter()
    with stage() as place:
        _make_table(place)
        writers = Writers(
            place.database_url, conversations, size.longest_delay_seconds, size.most_rows
        )
        is_over = threading.Event()
        with place.product(hurries=size.hurries) as (web, worker):
            looker = threading.Thread(target=_look, args=(place, is_over, kills), daemon=True)
            looker.start()
            writers.start()
            _kill(size, writers, web, worker, kills, lambda: _install_trigger(place))
            written_after = time.monotonic() - started
            settled = _wait_until_settled(place, writers, size.settles_within_seconds)
            is_over.set()
            looker.join()
            checks = memory_checks.check_all(place, conversations, writers.written.rows)
            checks.append(_doctor(place))
        _report(place, writers, checks, kills, written_after, settled, time.monotonic() - started)
    return not writers.written.failures and not any(check.broken for check in checks)


def _make_table(place: Stage) -> None:
    with psycopg.connect(place.database_url, autocommit=True) as connection:
        connection.execute(MAKE)


def _kill(
    size: Size,
    writers: Writers,
    web: Service,
    worker: Service,
    kills: Counter[str],
    half_way: Callable[[], None],
) -> None:
    """Until everything is written: one process or another, at random. Half way N8n's table begins
    to tell of new rows.
    """
    ways: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("killed: worker", worker.kill_main),
        ("killed: one web process", web.kill_child),
        ("killed: all of web", web.kill_all),
        ("killed: worker, again", worker.kill_main),
    )
    half = size.conversations * 4
    is_told = False
    while writers.are_writing:
        time.sleep(random.uniform(0.1, size.longest_life_seconds))
        name, kill = random.choice(ways)
        kills[name.removesuffix(", again")] += kill()
        if not is_told and len(writers.written.rows) > half:
            is_told = True
            half_way()


def _install_trigger(place: Stage) -> None:
    _flask(place, "sync", "install-trigger")


def _look(place: Stage, is_over: threading.Event, kills: Counter[str]) -> None:
    """Somebody keeps asking for the sessions, whether it works or not."""
    token = ""
    while not is_over.wait(LOOK_EVERY_SECONDS):
        try:
            token = token or _token(place.port)
            status = _ask(place.port, "GET", "/api/v1/sessions", token)[0]
            kills["looks at the sessions" if status == 200 else f"looks answered {status}"] += 1
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            kills["looks while web was dead"] += 1


def _token(port: int) -> str:
    credentials = json.dumps({"email": EMAIL, "password": PASSWORD})
    _, body = _ask(port, "POST", "/api/v1/auth/token", body=credentials)
    return str(json.loads(body)["access_token"])


def _ask(
    port: int, method: str, path: str, token: str = "", body: str | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


_STATE = """
    SELECT (SELECT count(*) FROM messages WHERE source_row IS NOT NULL),
           (SELECT count(*) FROM messages WHERE NOT is_checked),
           (SELECT count(*) FROM deliveries WHERE status IN ('pending', 'failed'))
"""


def _wait_until_settled(place: Stage, writers: Writers, seconds: float) -> float:
    """Until every line is there and judged and every delivery is over; gives how long it took."""
    started = time.monotonic()
    wanted = sum(row.role is not None for row in writers.written.rows.values())
    while time.monotonic() - started < seconds:
        [(lines, unchecked, open_ones)] = place.query(_STATE)
        if lines >= wanted and not unchecked and not open_ones:
            break
        time.sleep(0.2)
    return time.monotonic() - started


def _doctor(place: Stage) -> Check:
    done = _flask(place, "doctor")
    wrong = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    return Check(
        "flask doctor finds nothing",
        sum(line.startswith("ok ") for line in done.stdout.splitlines()),
        [] if done.returncode == 0 else [*wrong, done.stderr[-500:]],
    )


def _flask(place: Stage, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=servers.ROOT,
        env=servers.environment(place.database_url, place.port),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _report(
    place: Stage,
    writers: Writers,
    checks: list[Check],
    kills: Counter[str],
    written_after: float,
    settled: float,
    seconds: float,
) -> None:
    written = writers.written
    [(updated,)] = place.query("SELECT count(*) FROM deliveries WHERE event = 'lead.updated'")
    [(gaps,)] = place.query("SELECT count(*) FROM memory_gaps")
    rows: list[tuple[str, float]] = [
        (f"transactions from {CONNECTIONS} connections", written.transactions),
        ("  of them rolled back", written.rolled_back),
        (
            "  of them without an id of their own when the row numbers were taken",
            written.without_id,
        ),
        ("rows committed", len(written.rows)),
        ("rows rolled back", written.rows_rolled_back),
        *sorted(kills.items()),
        ("leads that changed after their completion", updated),
        ("gaps still remembered", gaps),
        ("longest from row number to commit, seconds", written.longest_delay_seconds),
        ("writing, seconds", written_after),
        ("until all was judged and delivered after the last commit, seconds", settled),
        ("the whole run, seconds", seconds),
    ]
    for name, value in rows:
        shown = f"{value:>7.1f}" if isinstance(value, float) else f"{value:>7}"
        print(f"  {name:<72}{shown}")
    print(f"{'promises':<74}{'tested':>7}")
    for check in checks:
        print(check)
    for failure in written.failures:
        print(f"  FAILED: {failure}")
