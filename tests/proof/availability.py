"""Ordinary visitors complete their chats while the product is attacked.

Each attack runs in turn, then all of them together, each in a process of its own beside a fresh
crowd of visitors. Rate limits are on, and visitors and attackers have addresses of their own, as
behind one proxy. Everything shares the machine's two cores.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import random
import re
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.pool import AsyncResult
from typing import Any

import requests

from app import create_app
from app.accounts import api_keys, users
from app.core.db import db, transaction
from app.core.processes import end_with
from app.upkeep.seed import seed
from bench import servers
from config import Settings
from tests.fakes.n8n_chat import running_workflow
from tests.fakes.n8n_protocol import Script
from tests.proof.attacks.registry import all_attacks
from tests.proof.attacks.target import Target
from tests.proof.people import Person
from tests.proof.stage import Stage, stage
from tests.proof.visitor import Chat, GaveUp, Visitor

ANSWERED_WITHIN_SECONDS = 2.0
SLOW_ANSWER_SECONDS = 20.0
SLOW_SITE = "slow"
INSIDER = ("insider@example.com", "another long password")
HEALTH_CHECK_EVERY_SECONDS = 0.5
DELIVERED_WITHIN_SECONDS = 120.0
#: How long an attack may take to end once it has been told to.
ATTACK_ENDS_WITHIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """`attacked_for_seconds`: how long an attack goes on before the first visitor comes.

    `answered_share`: of the answers, so many must come in time; 0 where other work shares the
    machine, and nothing can be said about times.
    """

    visitors: int
    arrive_within_seconds: float
    longest_pause_seconds: float
    attacked_for_seconds: float
    seeded_sessions: int
    is_each_alone: bool
    answered_share: float
    health_check_timeout_seconds: float


FULL = Size(200, 15.0, 5.0, 5.0, 100_000, True, 0.95, 5.0)
SMALL = Size(20, 2.0, 0.5, 2.0, 1_000, False, 0.0, 30.0)


@dataclass(slots=True)
class Crowd:
    """What a crowd of visitors knows of its conversations."""

    chats: list[Chat]
    answer_seconds: list[float]
    tally: Counter[str]


@dataclass(slots=True)
class Health:
    """What the health checks found. `slowest_seconds` of those that were answered."""

    checks: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0


def run(size: Size, only: str = "") -> bool:
    """Run it and print what happened; `only` this attack where one is named. True: all held."""
    attacks = {name: (name,) for name in all_attacks() if not only or name == only}
    rounds = {"nobody": (), **attacks} if size.is_each_alone else {}
    if not only:
        rounds["all together"] = tuple(all_attacks())
    with _product(size) as (place, target):
        print(f"{size.visitors} visitors; attacks: {', '.join(attacks)}", flush=True)
        held = [
            _round(name, names, size, place, target, number * size.visitors)
            for number, (name, names) in enumerate(rounds.items())
        ]
    return all(held)


@contextmanager
def _product(size: Size) -> Iterator[tuple[Stage, Target]]:
    with ExitStack() as stack:
        slow = stack.enter_context(running_workflow())
        slow.always = Script((SLOW_ANSWER_SECONDS, b'{"output":"Which service do you need?"}'))
        place = stack.enter_context(stage({SLOW_SITE: {"assistant": "n8n", "allowed_origins": []}}))
        target = Target(place.port, place.database_url, slow_site=SLOW_SITE)
        _prepare(target, size)
        settings = {
            "RATELIMIT_ENABLED": "true",
            "TRUSTED_PROXIES": "1",
            "N8N_CHAT_URL": slow.url,
        }
        stack.enter_context(place.product(settings=settings))
        target.insider_cookies = _sign_in(place.port)
        yield place, target


def _sign_in(port: int) -> str:
    """The Cookie header of the insider."""
    house = f"http://127.0.0.1:{port}"
    with requests.Session() as person:
        form = person.get(f"{house}/login", timeout=30).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        assert token is not None, "the sign-in page has no form"
        data = {"csrf_token": token[1], "email": INSIDER[0], "password": INSIDER[1]}
        answer = person.post(f"{house}/login", data, timeout=30, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.cookies)


def _prepare(target: Target, size: Size) -> None:
    """A history to search in, an agent and an API key."""
    app = create_app(
        Settings.load({"DATABASE_URL": target.database_url, "SECRET_KEY": servers.SECRET_KEY})
    )
    with app.app_context():
        seed(size.seeded_sessions, random_seed=7)
        email, password = target.agent
        with transaction() as session:
            users.create(session, email=email, role="agent", password=password)
            users.create(session, email=INSIDER[0], role="agent", password=INSIDER[1])
            scopes = ("sessions:write", "sessions:read", "leads:read")
            target.api_key = api_keys.create(session, name="Attacker", scopes=scopes).plain
        db.engine.dispose()


def _round(
    name: str, names: tuple[str, ...], size: Size, place: Stage, target: Target, first: int
) -> bool:
    spawn = multiprocessing.get_context("spawn")
    is_over = threading.Event()
    health = Health()
    checker = threading.Thread(target=_check_health, args=(place.port, size, health, is_over))
    with ExitStack() as stack:
        manager = stack.enter_context(spawn.Manager())
        stop = manager.Event()
        pool = stack.enter_context(
            spawn.Pool(len(names) + 1, end_with, (os.getpid(), signal.SIGKILL))
        )
        running = {each: pool.apply_async(_attack, (each, target, stop)) for each in names}
        checker.start()
        try:
            time.sleep(size.attacked_for_seconds if names else 0)
            crowd = pool.apply(_crowd, (place.port, size, first))
        finally:
            stop.set()
            tallies = {each: _tally(result) for each, result in running.items()}
            is_over.set()
            checker.join()
    lost = _undelivered(place, crowd)
    return _report(name, size, crowd, health, tallies, lost)


def _attack(name: str, target: Target, stop: Any) -> Counter[str]:
    all_attacks()[name](target, stop)
    return target.tally


def _tally(result: AsyncResult[Counter[str]]) -> Counter[str]:
    try:
        return result.get(ATTACK_ENDS_WITHIN_SECONDS)
    except multiprocessing.TimeoutError:
        return Counter({"did not end": 1})


def _crowd(port: int, size: Size, first: int) -> Crowd:
    """All visitors of one round, each in a thread of its own."""
    crowd = Crowd([Chat(Person(first + n)) for n in range(size.visitors)], [], Counter())
    threads = [
        threading.Thread(target=_converse, args=(port, size, crowd, chat), daemon=True)
        for chat in crowd.chats
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return crowd


def _converse(port: int, size: Size, crowd: Crowd, chat: Chat) -> None:
    time.sleep(random.uniform(0, size.arrive_within_seconds))
    visitor = Visitor(
        port,
        crowd.tally,
        streams=chat.person.number % 2 == 0,
        longest_pause_seconds=size.longest_pause_seconds,
        address=f"203.0.{113 + chat.person.number // 250 % 100}.{chat.person.number % 250 + 1}",
        answer_seconds=crowd.answer_seconds,
    )
    try:
        visitor.converse(chat)
    except GaveUp:
        crowd.tally["gave up"] += 1


def _check_health(port: int, size: Size, health: Health, is_over: threading.Event) -> None:
    while not is_over.wait(HEALTH_CHECK_EVERY_SECONDS):
        for path in ("/healthz", "/readyz"):
            health.checks += 1
            began = time.monotonic()
            connection = http.client.HTTPConnection(
                "127.0.0.1", port, timeout=size.health_check_timeout_seconds
            )
            try:
                connection.request("GET", path, headers={"X-Forwarded-For": "192.0.2.1"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                health.failures[f"{path}: {type(error).__name__}"] += 1
            else:
                if answer.status != 200:
                    health.failures[f"{path}: status {answer.status}"] += 1
                health.slowest_seconds = max(health.slowest_seconds, time.monotonic() - began)
            finally:
                connection.close()


def _undelivered(place: Stage, crowd: Crowd) -> list[str]:
    """Visitors whose lead did not arrive exactly once, with what they had said of themselves."""
    wanted = {chat.session_id: chat.person for chat in crowd.chats if chat.is_completed}
    give_up_at = time.monotonic() + DELIVERED_WITHIN_SECONDS
    while True:
        arrived: dict[str, set[str]] = {}
        contacts: dict[str, tuple[Any, ...]] = {}
        for taken in list(place.receiver.taken):
            data = taken.data
            if data["type"] == "lead.completed":
                session_id = data["data"]["session"]["id"]
                arrived.setdefault(session_id, set()).add(taken.webhook_id)
                lead = data["data"]["lead"]
                contacts[session_id] = (lead["name"], lead["email"], lead["phone"])
        missing = [
            person.name
            for session_id, person in wanted.items()
            if len(arrived.get(session_id, ())) != 1 or contacts[session_id] != person.contact
        ]
        if not missing or time.monotonic() > give_up_at:
            return missing
        time.sleep(0.5)


def _report(
    name: str,
    size: Size,
    crowd: Crowd,
    health: Health,
    tallies: dict[str, Counter[str]],
    lost: list[str],
) -> bool:
    completed = sum(chat.is_completed for chat in crowd.chats)
    problems = [problem for chat in crowd.chats for problem in chat.problems]
    answers = sorted(crowd.answer_seconds)
    in_time = sum(each <= ANSWERED_WITHIN_SECONDS for each in answers) / max(1, len(answers))
    requests = crowd.tally.pop("requests", 0)
    is_fine = (
        completed == len(crowd.chats)
        and in_time >= size.answered_share
        and not health.failures
        and not lost
        and not problems
    )
    percentile = statistics.quantiles(answers, n=100)[94] if len(answers) > 1 else 0.0
    print(f"\n{name}: {'held' if is_fine else 'BROKEN'}")
    print(f"  completed {completed} of {len(crowd.chats)}, {requests} requests")
    print(
        f"  answers: {in_time:.1%} within {ANSWERED_WITHIN_SECONDS:g} s,"
        f" 95 % in {percentile:.2f} s, longest {answers[-1] if answers else 0:.2f} s"
    )
    print(f"  repeated by visitors: {dict(crowd.tally) or 'nothing'}")
    print(
        f"  health checks: {health.checks}, failed: {dict(health.failures) or 'none'},"
        f" slowest {health.slowest_seconds:.2f} s"
    )
    print(f"  leads not delivered exactly once: {lost[:3] or 'none'}")
    if problems:
        print(f"  wrong: {problems[:3]}")
    for attack, tally in tallies.items():
        print(f"  {attack}: {dict(sorted(tally.items()))}", flush=True)
    return is_fine
