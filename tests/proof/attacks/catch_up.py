"""One visitor draws the whole of a long transcript again and again, over eight connections."""

from __future__ import annotations

import http.client
import threading

import psycopg

from tests.proof.attacks.target import Target, new_address
from tests.proof.attacks.wire import TIMEOUT_SECONDS, start_chat

CONNECTIONS = 8
LINES = 1000
LONGEST_TEXT = 4000
PAUSE_SECONDS = 0.05


def attack(target: Target, stop: threading.Event) -> None:
    path, headers = "", {}
    while not path and not stop.is_set():
        try:
            path, headers = start_chat(target.port, target.site, new_address())
        except OSError:
            target.tally["catch-up: no chat"] += 1
            stop.wait(1)
    if not path:
        return
    _lengthen(target.database_url, path.split("/")[3])
    readers = [
        threading.Thread(target=_draw, args=(target, path, headers, stop))
        for _ in range(CONNECTIONS)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()


def _lengthen(database_url: str, session_id: str) -> None:
    """What a visitor would write in some hours, or a workflow would."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO messages (session_id, role, text, created_at, is_checked) "
            "SELECT %s, 'visitor', repeat('x', %s), now(), true FROM generate_series(1, %s)",
            (session_id, LONGEST_TEXT, LINES),
        )
        connection.execute(
            "UPDATE chat_sessions SET message_count = message_count + %s WHERE id = %s",
            (LINES, session_id),
        )


def _draw(target: Target, path: str, headers: dict[str, str], stop: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=TIMEOUT_SECONDS)
    while not stop.is_set():
        try:
            connection.request("GET", f"{path}?after=0", headers=headers)
            answer = connection.getresponse()
            size = len(answer.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            target.tally["catch-up: 0"] += 1
            stop.wait(1)
            continue
        target.tally[f"catch-up: {answer.status}"] += 1
        target.tally["catch-up: kB"] += size // 1000
        if answer.status != 200:
            stop.wait(PAUSE_SECONDS)
    connection.close()
