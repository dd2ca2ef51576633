"""20 visitors of one address send 60 messages each, at once, where an answer takes 20 seconds."""

from __future__ import annotations

import threading
import uuid

from tests.proof.attacks.target import Target, new_address
from tests.proof.attacks.wire import Crowd, raw, start_chat

VISITORS = 20
MESSAGES = 60
#: Longer than a request waits for an answer that another one is making.
ROUND_SECONDS = 40.0


def attack(target: Target, stop: threading.Event) -> None:
    address = new_address()
    while not stop.is_set():
        crowd = Crowd(target.port, lambda status: target.tally.update([f"waiting: {status}"]))
        try:
            for path, headers in _chats(target, address):
                for _ in range(MESSAGES):
                    data = {"client_id": str(uuid.uuid4()), "text": "Hello?"}
                    crowd.send(raw("POST", path, headers, data))
            crowd.listen(stop, ROUND_SECONDS)
        finally:
            crowd.close()
        stop.wait(1)


def _chats(target: Target, address: str) -> list[tuple[str, dict[str, str]]]:
    chats = []
    for _ in range(VISITORS):
        try:
            chats.append(start_chat(target.port, target.slow_site, address))
        except OSError:
            target.tally["waiting: no chat"] += 1
    return chats
