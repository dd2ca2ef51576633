"""Requests that wait for somebody else never take every thread, nor one site every place."""

from __future__ import annotations

import contextlib
import threading

import pytest

from app.core.errors import Busy
from app.core.gate import LONG_REQUESTS, THREADS, Gate, Place
from app.core.live import MOST_READERS


def held(gate: Gate, owner: str) -> list[Place]:
    """As many places as this owner gets."""
    places = []
    while True:
        try:
            places.append(gate.enter(owner))
        except Busy:
            return places


def fill(gate: Gate, owner: str) -> int:
    return len(held(gate, owner))


def test_threads_are_left_for_short_requests() -> None:
    assert THREADS - LONG_REQUESTS - MOST_READERS >= 48


def test_a_site_alone_gets_nearly_everything() -> None:
    gate = Gate(90)
    assert fill(gate, "a") == 72
    assert gate.held == 72


def test_the_next_site_finds_a_place() -> None:
    gate = Gate(LONG_REQUESTS)
    got = [fill(gate, owner) for owner in ("a", "b", "c")]
    assert got[1] >= 50
    assert got[2] >= 10
    assert gate.held < LONG_REQUESTS


def test_places_move_from_who_has_many_to_who_has_few() -> None:
    gate = Gate(LONG_REQUESTS)
    places = {owner: held(gate, owner) for owner in ("a", "b")}
    for _ in range(5 * LONG_REQUESTS):  # requests end, and both sites have more of them at once
        owner = max(places, key=lambda each: len(places[each]))
        places[owner].pop().leave()
        for each in ("b", "a"):
            places[each] += held(gate, each)
    a, b = len(places["a"]), len(places["b"])
    assert abs(a - b) <= 2
    assert LONG_REQUESTS - a - b >= LONG_REQUESTS // 9


def test_a_place_is_given_back_once() -> None:
    gate = Gate(9)
    place = gate.enter("a")
    other = gate.enter("a")
    place.leave()
    place.leave()
    assert gate.held == 1
    with pytest.raises(ZeroDivisionError), other:
        raise ZeroDivisionError
    assert gate.held == 0


def test_who_is_refused_is_told_when_to_come_again() -> None:
    gate = Gate(1)
    gate.enter("a")
    with pytest.raises(Busy) as refused:
        gate.enter("b")
    assert refused.value.retry_after_seconds


def test_the_count_is_right_after_many_at_once() -> None:
    gate = Gate(20)

    def come_and_go() -> None:
        for _ in range(2000):
            with contextlib.suppress(Busy):
                gate.enter("a").leave()

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gate.held == 0
    assert not gate._held
