"""One agent asks for forty expensive lists at a time: common words, digits, deep pages."""

from __future__ import annotations

import threading

from tests.proof.attacks.target import Target, new_address
from tests.proof.attacks.wire import Crowd, raw

AT_ONCE = 40
AGAIN_AFTER_SECONDS = 5.0
PATHS = (
    "/leads?q=example",
    "/leads?q=example&delivery=none",
    "/leads?q=a",
    "/sessions?q=e&archive_status=all",
    "/sessions?q=thank&qa_status=issue&archive_status=all",
    "/sessions?q=0&has_contact=no",
    f"/sessions?q={'kitchen+' * 25}",
    "/qa/numbers?period=all",
)


def attack(target: Target, stop: threading.Event) -> None:
    headers = {"X-Forwarded-For": new_address(), "Cookie": target.insider_cookies}
    crowd = Crowd(target.port, lambda status: target.tally.update([f"searches: {status}"]))
    number = 0
    try:
        while not stop.is_set():
            while len(crowd) < AT_ONCE and not stop.is_set():
                crowd.send(raw("GET", PATHS[number % len(PATHS)], headers))
                number += 1
            crowd.listen(stop, AGAIN_AFTER_SECONDS)
    finally:
        crowd.close()
