"""One agent opens more than a hundred live streams and keeps them open."""

from __future__ import annotations

import re
import threading

import requests

from tests.proof.attacks.target import Target, new_address
from tests.proof.attacks.wire import TIMEOUT_SECONDS, Crowd, raw

STREAMS = 120
AGAIN_AFTER_SECONDS = 5.0


def attack(target: Target, stop: threading.Event) -> None:
    headers = {"X-Forwarded-For": new_address()}
    cookie = ""
    while not stop.is_set() and not cookie:
        cookie = _sign_in(target, headers["X-Forwarded-For"])
        if not cookie:
            target.tally["streams: not signed in"] += 1
            stop.wait(1)
    crowd = Crowd(target.port, lambda status: target.tally.update([f"streams: {status}"]))
    try:
        while not stop.is_set():
            while len(crowd) < STREAMS and not stop.is_set():
                crowd.send(raw("GET", "/live", {**headers, "Cookie": cookie}))
            crowd.listen(stop, AGAIN_AFTER_SECONDS)
            target.tally["streams: most held"] = max(target.tally["streams: most held"], len(crowd))
    finally:
        crowd.close()


def _sign_in(target: Target, address: str) -> str:
    """The cookies of the agent, "" when signing in failed."""
    house = f"http://127.0.0.1:{target.port}"
    email, password = target.agent
    with requests.Session() as person:
        person.headers["X-Forwarded-For"] = address
        try:
            form = person.get(f"{house}/login", timeout=TIMEOUT_SECONDS).text
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
            if token is None:
                return ""
            data = {"csrf_token": token[1], "email": email, "password": password}
            person.post(f"{house}/login", data, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except requests.RequestException:
            return ""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.cookies)
