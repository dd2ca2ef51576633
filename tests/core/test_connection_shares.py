"""No kind of work takes every connection, and what is admitted is always given back."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, event, insert, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.core.connection_shares import (
    CHATS,
    HEALTH,
    LONG_JOBS,
    PAGES,
    RESERVED,
    Gate,
    SharedPool,
    ShareIsFull,
    Use,
    use_share,
)
from app.core.db import call, db, transaction
from app.models import Destination
from config import Settings
from tests.factories import make_site

SIZE = 10
NOW = 0.0
CHAT, HEALTH_CHECK = Use(replace(CHATS, wait_seconds=NOW)), Use(replace(HEALTH, wait_seconds=NOW))
LONG_JOB = Use(replace(LONG_JOBS, wait_seconds=NOW))


def page(owner: str, **changes: Any) -> Use:
    return Use(replace(PAGES, **{"wait_seconds": NOW, **changes}), owner)


def entered(gate: Gate, use: Use, most: int = SIZE) -> int:
    """How many of this use are admitted, one after the other."""
    for number in range(most):
        try:
            gate.enter(use, NOW)
        except ShareIsFull:
            return number
    return most


@pytest.fixture
def own_app(database: Flask, settings: Settings) -> Iterator[Flask]:
    """An app with a pool of its own, so that a test may hold all of it."""
    from app import create_app

    app = create_app(settings)
    with app.app_context():
        pool = db.engine.pool
    yield app
    assert isinstance(pool, SharedPool)
    assert pool.checkedout() == 0
    assert sum(pool.gate._held.values()) == 0
    assert not pool.gate._held_by
    pool.dispose()


def test_the_reserved_connections_are_fewer_than_the_pool_has(settings: Settings) -> None:
    options = settings.flask_config()["SQLALCHEMY_ENGINE_OPTIONS"]
    assert options["pool_size"] + options["max_overflow"] == SIZE
    assert sum(RESERVED.values()) < SIZE


@pytest.mark.parametrize("greedy", [page(""), LONG_JOB, CHAT, HEALTH_CHECK])
def test_every_part_gets_its_reserved_connections_whatever_another_takes(greedy: Use) -> None:
    gate = Gate(SIZE)
    taken = entered(gate, greedy)
    others = {use.share.part: use for use in (CHAT, page(""), HEALTH_CHECK)}
    del others[greedy.share.part]
    assert taken == SIZE - sum(RESERVED[part] for part in others)
    for part, use in others.items():
        assert entered(gate, use) == RESERVED[part]


def test_one_owner_leaves_connections_to_the_others() -> None:
    gate = Gate(SIZE)
    assert entered(gate, page("ann")) == PAGES.most_per_owner
    assert entered(gate, page("bob")) == PAGES.most_per_owner
    assert entered(gate, page("cy")) == 0
    gate.leave(page("ann"))
    assert entered(gate, page("cy")) == 1


def test_the_queue_is_bounded_by_owner_and_as_a_whole() -> None:
    gate = Gate(SIZE)
    patient = {"wait_seconds": 60.0, "most_waiting": 5, "most_waiting_per_owner": 3}
    ann, bob, cy = (page(name, **patient) for name in ("ann", "bob", "cy"))
    for _ in range(2):
        gate.enter(ann, NOW)
        gate.enter(bob, NOW)
    threads = [
        threading.Thread(target=gate.enter, args=(use, NOW)) for use in [ann] * 3 + [bob] * 2
    ]
    for thread in threads[:3]:
        thread.start()
    _wait_until(lambda: gate.waiting()["desk"] == 3)
    with pytest.raises(ShareIsFull):
        gate.enter(ann, NOW)
    for thread in threads[3:]:
        thread.start()
    _wait_until(lambda: gate.waiting()["desk"] == 5)
    with pytest.raises(ShareIsFull):
        gate.enter(cy, NOW)
    # A free connection of bob's is bob's or nobody's: ann has as many as she may.
    gate.leave(bob)
    _wait_until(lambda: gate.waiting()["desk"] == 4)
    for use in (ann, ann, ann, bob, bob, ann):
        gate.leave(use)
    for thread in threads:
        thread.join()
    assert gate.waiting()["desk"] == 0


def test_no_more_than_the_pool_has_are_admitted_and_each_once() -> None:
    """Many threads with every kind of use, some of which give up."""
    gate, lock, inside = Gate(SIZE), threading.Lock(), Counter[str]()
    uses = [CHAT, HEALTH_CHECK, LONG_JOB, *(page(name, wait_seconds=0.001) for name in "abc")]
    broken: list[Counter[str]] = []

    def work(seed: int) -> None:
        choices = random.Random(seed)
        for _ in range(300):
            use = choices.choice(uses)
            try:
                gate.enter(use, NOW)
            except ShareIsFull:
                continue
            with lock:
                inside[use.share.part] += 1
                if sum(inside.values()) > SIZE or inside["desk"] > 4 or inside["chats"] > 7:
                    broken.append(inside.copy())
            with lock:
                inside[use.share.part] -= 1
            gate.leave(use)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken
    assert sum(gate._held.values()) == 0
    assert not gate._held_by
    assert set(gate.waiting().values()) == {0}


def test_chats_have_connections_while_pages_hold_theirs(own_app: Flask) -> None:
    with ExitStack() as holders:
        held = 0
        for number in range(SIZE):
            holders.enter_context(own_app.app_context())
            use_share(replace(PAGES, wait_seconds=NOW), f"user {number}")
            try:
                db.session().connection()
                held += 1
            except ShareIsFull:
                break
        assert held == 4
        with own_app.app_context():
            assert call("to_char", 1, "9") is not None
            with transaction() as session:
                session.execute(text("SELECT 1"))


def test_a_connection_is_given_back_however_it_ends(own_app: Flask) -> None:
    with own_app.app_context():
        for _ in range(SIZE):
            detached = db.engine.raw_connection()
            detached.detach()
            detached.close()
            db.engine.raw_connection().invalidate()
            with pytest.raises(DBAPIError), db.engine.connect() as connection:
                connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        db.engine.dispose()
        assert call("to_char", 1, "9") is not None


def test_a_connection_that_cannot_be_made_takes_no_place() -> None:
    engine = create_engine(
        "postgresql+psycopg2://nobody@127.0.0.1:1/nothing",
        poolclass=SharedPool, pool_size=SIZE, max_overflow=0,
    )  # fmt: skip
    for _ in range(SIZE + 1):
        with pytest.raises(OperationalError):
            engine.connect()


def limits_of(app: Flask) -> list[str]:
    """`statement_timeout` on every connection of the pool, as the next caller meets it."""
    with app.app_context(), ExitStack() as open_ones:
        pooled = [db.engine.connect() for _ in range(7)]
        for each in pooled:
            open_ones.callback(each.close)
        return [str(each.scalar(text("SHOW statement_timeout"))) for each in pooled]


def test_a_pages_statements_are_limited_and_nobody_elses(own_app: Flask) -> None:
    with own_app.app_context():
        use_share(PAGES, "ann")
        seen: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        show = text("SHOW statement_timeout")
        assert db.session.scalar(show) == "5s"
        assert db.session.scalar(show) == "5s"
        db.session.commit()
        with transaction() as session:
            assert session.scalar(show) == "5s"
        # No statement more than before, and the limit is sent once a transaction.
        assert ["SET LOCAL" in each for each in seen] == [True, False, True]
        assert call("current_setting", "statement_timeout") == ("5s",)
        db.session.remove()
    assert set(limits_of(own_app)) == {"0"}
    with own_app.app_context():
        assert call("current_setting", "statement_timeout") == ("0",)


def test_the_limit_is_kept_whatever_the_first_statement_is(own_app: Flask) -> None:
    show = text("SHOW statement_timeout")
    with own_app.app_context():
        use_share(PAGES, "ann")
        with db.session.begin_nested():  # a savepoint first
            pass
        assert db.session.scalar(show) == "5s"
        db.session.rollback()
        rows = [{"n": 1}, {"n": 2}]
        db.session.execute(text("SELECT :n"), rows)  # many
        assert db.session.scalar(show) == "5s"
        db.session.rollback()
        streamed = db.session.execute(
            text("SELECT current_setting('statement_timeout')"),
            execution_options={"stream_results": True},
        )  # a cursor of the server's
        assert streamed.scalar() == "5s"
        db.session.rollback()
        # The result of the last statement, and its count of rows, are what the caller gets.
        with transaction() as session:
            make_site(session, key="a")
        done = db.session.execute(text("UPDATE sites SET name = 'b' WHERE key = 'a'"))
        assert done.rowcount == 1  # type: ignore[attr-defined]
        db.session.rollback()
        added = [{"key": key, "kind": "console"} for key in "bc"]
        keys = db.session.scalars(insert(Destination).returning(Destination.key), added)
        assert sorted(keys) == ["b", "c"]
        assert db.session.scalar(show) == "5s"
        db.session.rollback()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM sites"))
        db.session.execute(text("DELETE FROM sites WHERE key = 'a'"))
        db.session.commit()
        db.session.remove()


def _wait_until(is_so: Any) -> None:
    for _ in range(2_000):
        if is_so():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came to that")
