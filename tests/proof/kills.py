"""kill -9 of web and worker under chatting visitors: no message and no lead is lost or doubled."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench import servers
from tests.proof.checks import Check, check_all
from tests.proof.people import Person
from tests.proof.services import Service
from tests.proof.stage import Stage, stage
from tests.proof.visitor import Chat, Visitor

#: How long a sender is kept waiting while workers are killed in mid-delivery.
DELIVERY_SECONDS = 0.3
SETTLES_WITHIN_SECONDS = 180.0
WEB_POINTS = (
    "during transaction 1",
    "after transaction 1",
    "during transaction 2",
    "before commit 2",
    "before commit 2, completing",
    "after commit 2",
)
WORKER_POINT = "after the receiver's 200"


@dataclass(frozen=True, slots=True)
class Size:
    """`*_point_kills`: how often a process dies at each named point, each `every` times reached.

    `hurries`: leases and claims are shorter than the product's own.
    """

    web_kills: int
    worker_kills: int
    web_point_kills: int
    worker_point_kills: int
    every: int
    visitors: int
    longest_life_seconds: float
    hurries: bool


FULL = Size(60, 24, 10, 5, every=7, visitors=12, longest_life_seconds=2.0, hurries=False)
SMALL = Size(3, 2, 1, 1, every=3, visitors=6, longest_life_seconds=0.5, hurries=True)
#: Between two messages of a visitor. Many at once meet a killed web process in the middle of a
#: turn; a worker is killed under few, or the destination would mostly wait for what it held.
BUSY_PAUSE_SECONDS = 0.05
CALM_PAUSE_SECONDS = 1.5


@dataclass(slots=True)
class Run:
    """What happened so far."""

    stage: Stage
    size: Size
    tally: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    chats: list[Chat] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    failures: list[str] = field(default_factory=list)


def run(size: Size) -> bool:
    """Run it and print what happened. True when every promise was kept."""
    started = time.monotonic()
    points = dict.fromkeys(WEB_POINTS, (size.every, size.web_point_kills))
    for rare in ("before commit 2", "before commit 2, completing"):
        points[rare] = (2, size.web_point_kills)
    points[WORKER_POINT] = (size.every, size.worker_point_kills)
    with stage() as place:
        going = Run(place, size)
        with place.product(hurries=size.hurries) as (web, worker):
            with _visitors_chatting(going, BUSY_PAUSE_SECONDS):
                _kill_web(going, web)
            with _visitors_chatting(going, CALM_PAUSE_SECONDS):
                _kill_worker(going, worker)
        with place.product(points, hurries=size.hurries):
            with _visitors_chatting(going, BUSY_PAUSE_SECONDS):
                _wait_for_points(going, {name: points[name] for name in WEB_POINTS})
            with _visitors_chatting(going, CALM_PAUSE_SECONDS):
                _wait_for_points(going, points)
            settled_after = place.wait_until_settled(SETTLES_WITHIN_SECONDS)
            for chat in random.sample(going.chats, min(20, len(going.chats))):
                Visitor(place.port, Counter()).ask_again(chat)
        checks = check_all(place, going.chats)
        _report(going, checks, settled_after, time.monotonic() - started)
    return not going.failures and not any(check.broken for check in checks)


@contextmanager
def _visitors_chatting(going: Run, longest_pause_seconds: float) -> Iterator[None]:
    """Visitors come, one after another in each of several threads, as long as the block runs."""
    is_over = threading.Event()
    threads = [
        threading.Thread(
            target=_chat, args=(going, is_over, seat, longest_pause_seconds), daemon=True
        )
        for seat in range(going.size.visitors)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def _chat(going: Run, is_over: threading.Event, seat: int, longest_pause_seconds: float) -> None:
    while not is_over.is_set():
        chat = Chat(Person(next(going.numbers)))
        going.chats.append(chat)
        visitor = Visitor(
            going.stage.port,
            going.tally,
            timeout_seconds=(4.0, 15.0, 30.0)[seat % 3],
            streams=seat % 2 == 0,
            is_patient=chat.person.number % 10 != 9,
            longest_pause_seconds=longest_pause_seconds,
        )
        try:
            visitor.converse(chat)
        except Exception as error:  # a proof names whatever went wrong
            going.failures.append(f"visitor {chat.person.number}: {type(error).__name__} {error}")
            return


def _kill_web(going: Run, web: Service) -> None:
    ways: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("web: one process", web.kill_child),
        ("web: the master", web.kill_main),
        ("web: all at once", web.kill_all),
    )
    for number in range(going.size.web_kills):
        name, kill = ways[number % len(ways)]
        servers.wait_until_open(going.stage.port)
        while True:
            time.sleep(random.uniform(0.05, going.size.longest_life_seconds))
            if kill():
                break
        going.kills[name] += 1


def _kill_worker(going: Run, worker: Service) -> None:
    receiver = going.stage.receiver
    receiver.answers_after_seconds = DELIVERY_SECONDS
    give_up_at = time.monotonic() + 1200
    while going.kills["worker in mid-delivery"] < going.size.worker_kills:
        if time.monotonic() > give_up_at:
            going.failures.append("the worker delivered too seldom to be killed so often")
            break
        if not receiver.wait_for_request(1):
            continue
        time.sleep(random.uniform(0, DELIVERY_SECONDS * 0.8))
        if receiver.in_flight and worker.kill_main():
            going.kills["worker in mid-delivery"] += 1
            time.sleep(DELIVERY_SECONDS)
            receiver.wait_until_idle()
    receiver.answers_after_seconds = 0.02


def _wait_for_points(going: Run, points: dict[str, tuple[int, int]]) -> None:
    give_up_at = time.monotonic() + 600
    while any(going.stage.times_killed(point) < most for point, (_, most) in points.items()):
        if time.monotonic() > give_up_at:
            going.failures.append("not every named point was reached often enough")
            return
        time.sleep(0.2)


_SLOWEST_LEAD = """
    SELECT coalesce(extract(epoch FROM max(d.finished_at - s.completed_at)), 0)::float
      FROM deliveries d JOIN chat_sessions s ON s.id = d.session_id
"""


def _report(going: Run, checks: list[Check], settled_after: float, seconds: float) -> None:
    place = going.stage
    ids = {taken.webhook_id for taken in place.receiver.taken}
    print("killed with kill -9")
    _print_rows(sorted(going.kills.items()))
    _print_rows((f"named point: {p}", place.times_killed(p)) for p in (*WEB_POINTS, WORKER_POINT))
    print("what the visitors met")
    _print_rows(sorted(going.tally.items()))
    print("seconds")
    _print_rows(
        [
            ("longest from completion to delivered", place.query(_SLOWEST_LEAD)[0][0]),
            ("until all was answered and delivered after the last visitor", settled_after),
            ("the whole run", seconds),
        ]
    )
    print("webhooks")
    _print_rows(
        [
            ("distinct ids", len(ids)),
            ("came again under the same id", len(place.receiver.taken) - len(ids)),
        ]
    )
    print(f"{'promises':<74}{'tested':>7}")
    for check in checks:
        print(check)
    for failure in going.failures:
        print(f"  FAILED: {failure}")


def _print_rows(rows: Iterable[tuple[str, int | float]]) -> None:
    for name, value in rows:
        print(
            f"  {name:<72}{value:>7.1f}" if isinstance(value, float) else f"  {name:<72}{value:>7}"
        )
