from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import limits
from app.core import clock
from app.core.db import transaction
from app.core.errors import TooMany
from app.models import SignInFailure

EMAIL, ADDRESS = "ann@example.com", "192.0.2.1"


def waits(
    session: Session, email: str = EMAIL, address: str = ADDRESS, trusted: str | None = None
) -> int:
    """A wrong try: the minutes one is told to wait, 0 when it was let through."""
    try:
        limits.count(session, email, address, trusted=trusted)
    except TooMany as error:
        return round((error.retry_after_seconds or 0) / 60)
    return 0


def addresses() -> Iterator[str]:
    return (f"198.51.{number // 250}.{number % 250}" for number in itertools.count())


def told_in_turn(session: Session, tries: int, **given: str) -> list[int]:
    return [waits(session, **given) for _ in range(tries)]


@pytest.mark.parametrize("trusted", [None, "a device"])
def test_one_place_waits_longer_each_time(session: Session, trusted: str | None) -> None:
    assert [waits(session, trusted=trusted) for _ in range(6)] == [0] * 5 + [1]
    told = []
    moved = timedelta()
    for _ in range(6):
        moved += timedelta(minutes=15, seconds=1)
        with clock.moved(moved):
            assert waits(session, trusted=trusted) == 0
            told.append(waits(session, EMAIL.upper(), trusted=trusted))
    assert told == [2, 4, 8, 15, 15, 15]
    assert waits(session, "bob@example.com") == 0
    with clock.moved(moved + timedelta(days=1, minutes=1)):
        assert [waits(session, trusted=trusted) for _ in range(6)] == [0] * 5 + [1]


def test_a_stranger_keeps_nobody_out_elsewhere(session: Session) -> None:
    assert told_in_turn(session, 6) == [0] * 5 + [1]
    assert waits(session, address="203.0.113.9") == 0
    assert waits(session, address=ADDRESS, trusted="the owner's laptop") == 0


def test_many_addresses_are_slowed_down_and_the_owners_browser_is_not(session: Session) -> None:
    told = [waits(session, address=address) for address in itertools.islice(addresses(), 51)]
    assert told == [0] * limits.FREE_OF_ACCOUNT + [1]
    assert waits(session, address="203.0.113.9") == 1
    assert waits(session, "bob@example.com", address="203.0.113.9") == 0
    assert told_in_turn(session, 6, trusted="the owner's laptop") == [0] * 5 + [1]
    assert waits(session, trusted="the owner's phone") == 0
    limits.forget_account(session, EMAIL)
    assert waits(session, address="203.0.113.9") == 0
    assert told_in_turn(session, 6, trusted="the owner's laptop") == [0] * 5 + [1]


def test_a_refused_try_writes_nothing(session: Session) -> None:
    told_in_turn(session, 6)
    before = session.query(SignInFailure).count()
    told = [waits(session, f"{number}@example.com") for number in range(40)]
    assert told[:15] == [0] * 15
    assert told[15:] == [1] * 25
    assert session.query(SignInFailure).count() == before + 2 * 15


def test_an_address_waits_whatever_the_account(session: Session) -> None:
    told = [waits(session, f"{number}@example.com", "2001:db8::1") for number in range(21)]
    assert told == [0] * 20 + [1]
    assert waits(session, "new@example.com", "2001:db8::ffff:2") == 1  # the same network
    assert waits(session, "new@example.com", "2001:db8:0:1::1") == 0
    assert waits(session, "other@example.com", "::ffff:192.0.2.9") == 0


def test_right_ones_are_given_back_and_never_end_a_wait_of_others(session: Session) -> None:
    for _ in range(30):
        limits.give_back(session, limits.count(session, EMAIL, ADDRESS))
    assert [waits(session) for _ in range(4)] == [0] * 4
    right = limits.count(session, EMAIL, ADDRESS)
    limits.give_back(session, right)
    assert [waits(session), waits(session)] == [0, 1]
    limits.give_back(session, right)
    assert waits(session) == 1
    limits.forget(session, EMAIL, ADDRESS)
    assert [waits(session) for _ in range(6)] == [0] * 5 + [1]


def test_what_is_old_is_removed_by_later_tries(session: Session) -> None:
    for number in range(8):
        waits(session, f"{number}@example.com", f"192.0.2.{number}")
    assert session.query(SignInFailure).count() == 24
    with clock.moved(timedelta(days=2)):
        kept = []
        for number in range(3):
            waits(session, "carl@example.com", f"203.0.113.{number}")
            kept.append(session.query(SignInFailure).count())
    assert kept == [24 - 10 + 3, 24 - 20 + 5, 7]


def test_the_clean_up_keeps_so_many_rows_and_the_newest(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        with clock.moved(timedelta(seconds=number)):
            waits(session, f"{number}@example.com", f"192.0.2.{number}")
    assert limits.remove_old(session) == 0
    monkeypatch.setattr(limits, "MOST_ROWS", 6)
    with clock.moved(timedelta(minutes=1)):
        assert limits.remove_old(session) == 18
        newest = session.scalars(select(SignInFailure.last_at)).all()
    assert min(newest) > clock.now() + timedelta(seconds=5)
    with clock.moved(timedelta(days=2)):
        assert limits.remove_old(session) == 6


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("address", "free"), [(ADDRESS, limits.FREE_OF_PAIR), ("", limits.FREE_OF_ACCOUNT)]
)
def test_of_many_at_once_no_more_get_in_than_one_after_the_other(
    app: Flask, address: str, free: int
) -> None:
    def attempt(number: int) -> int:
        with app.app_context(), transaction() as session:
            return waits(session, address=address or f"192.0.2.{number}")

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(attempt, range(free + 20)))
    assert told.count(0) == free


@pytest.mark.usefixtures("database")
def test_tries_new_passwords_and_clean_ups_at_once_never_wait_for_each_other(app: Flask) -> None:
    """A deadlock would raise. Every order of locks there is meets every other one."""
    emails = [f"{number}@example.com" for number in range(3)]

    def work(number: int) -> None:
        chance = random.Random(number)
        with app.app_context():
            for _ in range(25):
                email, address = chance.choice(emails), f"192.0.2.{chance.randrange(3)}"
                step = chance.randrange(5)
                with transaction() as session:
                    if step == 0:
                        limits.forget_account(session, email)
                    elif step == 1:
                        limits.remove_old(session)
                    elif step == 2:
                        limits.forget(session, email, address)
                    else:
                        waits(session, email, address)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
