"""Writers in N8n's place: they take row numbers, wait, and commit late, or not at all."""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field

import psycopg

from tests.proof.memory_plan import Conversation, Row, batches, decoys

TABLE = "n8n_chat_histories"
MAKE = (
    f"CREATE TABLE {TABLE} (id SERIAL PRIMARY KEY, session_id VARCHAR(255) NOT NULL,"
    " message JSONB NOT NULL)"
)
CONNECTIONS = 8
_NUMBERS = f"SELECT nextval(pg_get_serial_sequence('{TABLE}', 'id')) FROM generate_series(1, %s)"  # noqa: S608
_INSERT = f"INSERT INTO {TABLE} (id, session_id, message) VALUES (%s, %s, %s)"  # noqa: S608
_XID = "SELECT pg_current_xact_id_if_assigned() IS NULL"


@dataclass(slots=True)
class Written:
    """What was committed, by its row number, and what happened on the way."""

    rows: dict[int, Row] = field(default_factory=dict)
    transactions: int = 0
    rolled_back: int = 0
    rows_rolled_back: int = 0
    without_id: int = 0
    longest_delay_seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


class Writers:
    """`longest_delay_seconds` between taking row numbers and committing; most take less.

    `most_rows`: in one transaction.
    """

    def __init__(
        self,
        url: str,
        conversations: list[Conversation],
        longest_delay_seconds: float,
        most_rows: int,
    ) -> None:
        self.written = Written()
        self._url = url
        self._conversations = conversations
        self._longest = longest_delay_seconds
        self._batches = batches(conversations, most_rows)
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._write, daemon=True) for _ in range(CONNECTIONS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def are_writing(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _write(self) -> None:
        try:
            with psycopg.connect(self._url) as connection:
                while self._write_some(connection):
                    pass
        except Exception as error:  # a proof names whatever went wrong
            self.written.failures.append(f"writer: {type(error).__name__} {error}")

    def _write_some(self, connection: psycopg.Connection) -> bool:
        is_rolled_back = random.random() < 0.15
        # Numbers in the order of the conversations; what is committed when is left to chance.
        with self._lock:
            if is_rolled_back:
                rows = decoys(self._conversations, random.randint(1, 20))
            else:
                rows = next(self._batches, [])
            if not rows:
                return False
            taken = connection.execute(_NUMBERS, (len(rows),)).fetchall()
            numbers = [number for (number,) in taken]
            if random.random() < 0.5:
                # What took the numbers is over; what will write them has not begun.
                connection.commit()
        if connection.execute(_XID).fetchone() == (True,):
            self.written.without_id += 1
        delay = self._longest * random.random() ** 5
        before = random.uniform(0, delay)
        time.sleep(before)
        values = [
            (number, row.written_key, json.dumps(row.message))
            for number, row in zip(numbers, rows, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT, values)
        time.sleep(delay - before)
        if is_rolled_back:
            connection.rollback()
        else:
            connection.commit()
        self._note(rows, numbers, delay, is_rolled_back=is_rolled_back)
        return True

    def _note(
        self, rows: list[Row], numbers: list[int], delay: float, *, is_rolled_back: bool
    ) -> None:
        written = self.written
        with self._lock:
            written.transactions += 1
            written.longest_delay_seconds = max(written.longest_delay_seconds, delay)
            if is_rolled_back:
                written.rolled_back += 1
                written.rows_rolled_back += len(rows)
            else:
                written.rows.update(zip(numbers, rows, strict=True))
