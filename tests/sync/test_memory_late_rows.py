"""Row numbers that are committed out of order, after any delay, by real parallel connections."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from flask import Flask
from sqlalchemy import event

from app.core import clock
from app.core.db import db, transaction
from app.models import ChatSession, MemoryGap
from app.sync import gaps
from app.sync.memory import read_new
from tests.sync import n8n
from tests.sync.n8n import PROMISE, count, insert, said, stored, taken_numbers, write


def read() -> int:
    return read_new(None, cause="auto_sync").rows_read


def the_gaps() -> list[tuple[int, int]]:
    return [
        (row.first_row, row.last_row)
        for row in n8n.rows("SELECT * FROM memory_gaps ORDER BY first_row")
    ]


def test_a_row_that_commits_after_a_higher_one_was_read_is_found(memory: str) -> None:
    with db.engine.connect() as slow:
        insert(slow, "S-1", said("Hello"))
        write("S-2", "Hi")
        assert read() == 1
        assert the_gaps() == [(1, 1)]
        assert read() == 0
        slow.commit()
    assert read() == 1
    assert stored("S-1") == ["Hello"]
    assert the_gaps() == []


def test_a_number_taken_by_a_transaction_without_an_id_is_waited_for(memory: str) -> None:
    taken_numbers(1)  # PostgreSQL notes 32 numbers at once; who takes the next needs no id
    with db.engine.connect() as slow:
        number = slow.exec_driver_sql(
            f"SELECT nextval(pg_get_serial_sequence('{n8n.TABLE}', 'id'))"
        ).scalar()
        assert slow.exec_driver_sql("SELECT pg_current_xact_id_if_assigned()").scalar() is None
        write("S-2", "Hi")
        assert read() == 1
        insert(slow, "S-1", said("Hello"), row=number)
        slow.commit()
    assert read() == 1
    assert stored("S-1") == ["Hello"]


def test_a_row_that_is_days_late_is_found(memory: str) -> None:
    (number,) = taken_numbers(1)
    write("S-2", "Hi")
    read()
    with clock.moved(timedelta(days=3)):
        assert read() == 0
        write("S-1", "Hello", row=number)
    with clock.moved(timedelta(days=3, minutes=61)):
        assert read() == 1
    assert stored("S-1") == ["Hello"]


def test_an_old_gap_is_looked_at_seldom_and_a_young_one_every_time(memory: str) -> None:
    taken_numbers(1)
    write("S-2", "Hi")
    read()
    with transaction() as session:
        source_id = session.query(MemoryGap).one().source_id
    for minutes, pause_minutes in ((5, 0.0), (20, 1.0), (100, 5.0), (60 * 24 * 30, 60.0)):
        with clock.moved(timedelta(minutes=minutes)):
            read()
            with transaction() as session:
                due_in = session.query(MemoryGap).one().check_at - clock.now()
                is_due = bool(gaps.due(session, source_id))
        assert is_due == (pause_minutes == 0)
        if pause_minutes:
            assert abs(due_in / timedelta(minutes=1) - pause_minutes) < 0.5


def test_a_hint_makes_an_old_gap_due(memory: str) -> None:
    numbers = taken_numbers(20)
    write("S-2", "Hi")
    read()
    with clock.moved(timedelta(days=3)):
        read()
        write("S-1", "Hello", row=numbers[7])
        assert read() == 0
        assert read_new(None, cause="auto_sync", hints=[(9000, 9001)]).rows_read == 0
        hint = (numbers[7], numbers[7])
        assert read_new(None, cause="auto_sync", hints=[hint]).rows_read == 1
    assert the_gaps() == [(1, 7), (9, 20)]


def test_rolled_back_numbers_stay_gaps_and_hinder_nothing(memory: str) -> None:
    for number in range(5):
        with db.engine.connect() as gone:
            insert(gone, "S-0", said("never"))
            gone.rollback()
        write(f"S-{number}", "Hello")
    assert read() == 5
    assert the_gaps() == [(1, 1), (3, 3), (5, 5), (7, 7), (9, 9)]
    assert read() == 0


def test_a_gap_is_filled_bit_by_bit(memory: str) -> None:
    first, *_, last = taken_numbers(10)
    write("S-2", "Hi")
    read()
    assert the_gaps() == [(first, last)]
    write("S-1", "five", row=5)
    assert read() == 1
    assert the_gaps() == [(1, 4), (6, 10)]
    write("S-1", "one", row=1)
    write("S-1", "ten", row=10)
    assert read() == 2
    assert the_gaps() == [(2, 4), (6, 9)]
    assert stored("S-1") == ["one", "five", "ten"]


def test_late_rows_keep_the_order_and_complete(memory: str) -> None:
    numbers = taken_numbers(3)
    write("S-1", "ann@example.com", "Thank you.")
    read()
    assert count("chat_sessions WHERE completion_status = 'completed'") == 0
    with db.engine.begin() as connection:
        insert(connection, "S-1", said("I need a dentist"), row=numbers[0])
        insert(connection, "S-1", said(PROMISE, at=1), row=numbers[2])
    assert read_new(None, cause="auto_sync").completions_found == 1
    assert stored("S-1") == ["I need a dentist", PROMISE, "ann@example.com", "Thank you."]
    assert count("leads") == 1


def test_more_late_rows_than_a_batch_are_all_found(memory: str) -> None:
    taken_numbers(3000)
    write("S-2", "Hi")
    read()
    n8n.fill("'S-' || g / 3", "'Hello'", 1, 1500, row="g * 2 - 1")
    assert read() == 1500
    assert count("messages") == 1501
    assert len(the_gaps()) == 1500
    assert read() == 0


def test_rows_that_wait_for_the_widgets_turn_are_asked_for_again(memory: str) -> None:
    write("S-1", "Hello")
    read()
    with transaction() as session:
        chat = session.query(ChatSession).one()
        now = clock.now()
        session.execute(
            n8n.text(
                "INSERT INTO turns (session_id, message_id, token, expires_at)"
                " VALUES (:id, 1, gen_random_uuid(), :until)"
            ),
            {"id": chat.id, "until": now + timedelta(seconds=30)},
        )
    write("S-1", "Are you there?", "Yes.")
    read()
    assert stored("S-1") == ["Hello"]
    assert the_gaps() == [(2, 2), (3, 3)]
    with transaction() as session:
        session.execute(n8n.text("DELETE FROM turns"))
    read()
    assert stored("S-1") == ["Hello", "Are you there?", "Yes."]
    assert the_gaps() == []


def test_a_hundred_thousand_permanent_gaps_cost_a_bounded_look(memory: str) -> None:
    n8n.fill("'S-1'", "''", 1, 100_000, row="g * 2")
    read()
    assert count("memory_gaps") == 100_000
    looked_at: list[int] = []

    def note(_connection, _cursor, statement, parameters, *_):  # type: ignore[no-untyped-def]
        if "SELECT 2 AS part" in statement:
            looked_at.append(len(parameters["firsts"]))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with clock.moved(timedelta(days=30)):
            for _ in range(100_000 // gaps.MOST_AT_ONCE + 1):
                read()
            before = len(looked_at)
            read()
            write("S-2", "Hi", row=7)
            assert read() == 0
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    # Once around, and then no gap is due for an hour.
    assert sum(looked_at) == 100_000
    assert max(looked_at) == gaps.MOST_AT_ONCE
    assert len(looked_at) == before
    with clock.moved(timedelta(days=30, minutes=62)):
        for _ in range(100_000 // gaps.MOST_AT_ONCE + 1):
            read()
    assert stored("S-2") == ["Hi"]


def test_writers_who_commit_as_late_as_they_like(memory: str, database: Flask) -> None:
    chance = random.Random(11)
    plans = [(number, chance.random() * 0.4, chance.random() < 0.15) for number in range(240)]
    kept = [number for number, _, is_rolled_back in plans if not is_rolled_back]
    failures: list[BaseException] = []
    is_over = threading.Event()

    def writer(own: list[tuple[int, float, bool]]) -> None:
        for number, delay, is_rolled_back in own:
            with db.engine.connect() as connection:
                lines = ["Hello", "Hi", "ann@example.com", PROMISE if number % 5 == 0 else "Bye"]
                for at, line in enumerate(lines):
                    insert(connection, f"S-{number}__Memory", said(line, at))
                time.sleep(delay)
                (connection.rollback if is_rolled_back else connection.commit)()

    def run(work: Callable[[], None]) -> None:
        try:
            with database.app_context():
                work()
        except BaseException as error:
            failures.append(error)

    def reader() -> None:
        while not is_over.is_set():
            read()

    writers = [
        threading.Thread(target=run, args=(partial(writer, plans[at::6]),)) for at in range(6)
    ]
    readers = [threading.Thread(target=run, args=(reader,)) for _ in range(2)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    is_over.set()
    for thread in readers:
        thread.join()
    assert failures == []
    read()
    promised = [number for number in kept if number % 5 == 0]
    assert count("messages") == 4 * len(kept)
    assert count("chat_sessions") == len(kept)
    assert count("chat_sessions WHERE completion_status = 'completed'") == len(promised)
    assert count("leads l JOIN chat_sessions c ON c.id = l.session_id") == len(kept)
    for number in kept:
        assert stored(f"S-{number}")[:3] == ["Hello", "Hi", "ann@example.com"]
