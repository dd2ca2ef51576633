from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.accounts import limits
from app.core import clock
from app.core.db import transaction
from app.core.errors import TooMany
from app.models import SignInFailure

EMAIL, ADDRESS = "ann@example.com", "192.0.2.1"


def waits(session: Session, email: str = EMAIL, address: str = ADDRESS) -> int:
    """A wrong try: the minutes one is told to wait, 0 when it was let through."""
    try:
        limits.count(session, email, address)
    except TooMany as error:
        return round((error.retry_after_seconds or 0) / 60)
    return 0


def test_an_account_waits_longer_each_time_whatever_the_address(session: Session) -> None:
    addresses = (f"192.0.2.{number}" for number in range(1, 200))
    assert [waits(session, address=next(addresses)) for _ in range(6)] == [0] * 5 + [1]
    told = []
    moved = timedelta()
    for _ in range(6):
        moved += timedelta(minutes=15, seconds=1)
        with clock.moved(moved):
            assert waits(session, address=next(addresses)) == 0
            told.append(waits(session, EMAIL.upper(), next(addresses)))
    assert told == [2, 4, 8, 15, 15, 15]
    assert waits(session, "bob@example.com") == 0
    with clock.moved(moved + timedelta(days=1, minutes=1)):
        assert [waits(session, address=next(addresses)) for _ in range(6)] == [0] * 5 + [1]


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
    limits.forget_account(session, EMAIL)
    assert [waits(session) for _ in range(6)] == [0] * 5 + [1]


def test_what_is_old_is_removed(session: Session) -> None:
    waits(session)
    with clock.moved(timedelta(days=2)):
        waits(session, "bob@example.com", "192.0.2.2")
        limits.forget_account(session, "carl@example.com")
    assert session.query(SignInFailure).count() == 2


@pytest.mark.usefixtures("database")
def test_of_many_at_once_no_more_get_in_than_one_after_the_other(app: Flask) -> None:
    def attempt(number: int) -> int:
        with app.app_context(), transaction() as session:
            return waits(session, address=f"192.0.2.{number}")

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(attempt, range(24)))
    assert told.count(0) == 5
