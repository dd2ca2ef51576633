"""One agent opens more than a hundred live streams and keeps them open."""

from __future__ import annotations

import threading

from tests.proof.attacks.target import Target, new_address
from tests.proof.attacks.wire import Crowd, raw

STREAMS = 120
AGAIN_AFTER_SECONDS = 5.0


def attack(target: Target, stop: threading.Event) -> None:
    headers = {"X-Forwarded-For": new_address(), "Cookie": target.insider_cookies}
    crowd = Crowd(target.port, lambda status: target.tally.update([f"streams: {status}"]))
    try:
        while not stop.is_set():
            while len(crowd) < STREAMS and not stop.is_set():
                crowd.send(raw("GET", "/live", headers))
            crowd.listen(stop, AGAIN_AFTER_SECONDS)
            target.tally["streams: most held"] = max(target.tally["streams: most held"], len(crowd))
    finally:
        crowd.close()
