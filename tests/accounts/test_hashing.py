from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.accounts import hashing, passwords
from app.accounts.hashing import BURST_SECONDS, MOST_INSIDE, SHARE, Lane
from app.core.errors import TooMany


class Clock:
    """Both clocks of a lane; `work` uses processor time."""

    def __init__(self) -> None:
        self.now = self.used = 0.0

    def lane(self, *, has_budget: bool = True) -> Lane:
        return Lane(has_budget=has_budget, clock=lambda: self.now, thread_clock=lambda: self.used)

    def work(self, seconds: float) -> None:
        self.now += seconds
        self.used += seconds


def test_a_lane_uses_no_more_than_its_share_in_the_long_run() -> None:
    clock = Clock()
    lane = clock.lane()
    refused = 0
    while clock.now < 1000:
        try:
            with lane.enter():
                clock.work(0.1)
        except TooMany as error:
            refused += 1
            clock.now += error.retry_after_seconds or 0  # to come again then is enough
    assert clock.used <= BURST_SECONDS + SHARE * clock.now + 0.1
    assert clock.used >= SHARE * clock.now * 0.9
    assert 0 < refused < 1000


def test_a_refused_one_is_told_when_to_come_again_and_costs_nothing() -> None:
    clock = Clock()
    lane = clock.lane()
    with lane.enter():
        clock.work(BURST_SECONDS + 3)
    with pytest.raises(TooMany, match="Please try again in") as caught, lane.enter():
        raise AssertionError("let in")
    wait = caught.value.retry_after_seconds
    assert wait is not None
    clock.now += wait
    with lane.enter():
        pass


def test_a_lane_without_a_budget_still_lets_few_in_at_once() -> None:
    clock = Clock()
    lane = clock.lane(has_budget=False)
    with lane.enter():
        clock.work(100)
    inside, leave, refused = threading.Semaphore(0), threading.Event(), []

    def enter() -> None:
        try:
            with lane.enter():
                inside.release()
                leave.wait()
        except TooMany:
            refused.append(1)

    with ThreadPoolExecutor(MOST_INSIDE + 3) as pool:
        admitted = [pool.submit(enter) for _ in range(MOST_INSIDE)]
        for _ in admitted:
            inside.acquire()
        enter(), enter(), enter()
        leave.set()
    assert len(refused) == 3
    with lane.enter():
        pass


def test_strangers_use_up_nothing_of_trusted_clients() -> None:
    lanes = hashing.lanes(has_budget=True)
    lanes.strangers._budget_seconds = -1.0
    with pytest.raises(TooMany), lanes.strangers.enter():
        pass
    with lanes.trusted.enter():
        pass


def test_new_passwords_are_hashed_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()
    generate = passwords.generate_password_hash

    def counted(password: str, method: str) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        hashed = generate(password, method)
        with lock:
            running -= 1
        return hashed

    monkeypatch.setattr(passwords, "generate_password_hash", counted)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: passwords.hash_password("a good new password"), range(8)))
    assert most == 1
