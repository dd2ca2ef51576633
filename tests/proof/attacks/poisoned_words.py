"""Visitors and a program whose texts make careless patterns and loops take minutes or for ever."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from tests.proof.attacks.target import Target, new_address

LONGEST_OF_WIDGET = 4_000
LONGEST_OF_API = 20_000
VISITORS = 8
PAUSE_SECONDS = 0.2
TIMEOUT_SECONDS = 30.0
#: Each repeated to the greatest length that is taken; exponential ones first. What comes last makes
#: a pattern fail that had matched so far.
PUMPS = (
    ("please wait ", "zzz"),
    ("e-mail ", "“a@b.co"),
    ("1234567,", "a@b.co"),
    ("J. ", "within 24 hours"),
    ("\n", "x"),
    ("hi\n", ":"),
    (" ", "x"),
    ("a@b.co ", "x"),
    ("020 7946 0958 ", "x"),
    ("my name is \n", "!"),
    ("name: a\n", ";"),
    ("not the kitchen, ", "?"),
    ("![a](", "<"),
    ("we will call you within 24 hours, ", "not"),
    ("ann at example dot ", "("),
)


def attack(target: Target, stop: threading.Event) -> None:
    texts = itertools.cycle([poisoned(*pump, LONGEST_OF_WIDGET) for pump in PUMPS])
    lock = threading.Lock()

    def chat() -> None:
        while not stop.is_set():
            with lock:
                several = list(itertools.islice(texts, 3))
            _chat(target, several, stop)

    threads = [threading.Thread(target=chat, daemon=True) for _ in range(VISITORS)]
    if target.api_key:
        threads.append(threading.Thread(target=_ingest, args=(target, stop), daemon=True))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def poisoned(pump: str, end: str, length: int) -> str:
    """A text of nearly so many characters."""
    return pump * ((length - len(end)) // len(pump)) + end


def _chat(target: Target, texts: list[str], stop: threading.Event) -> None:
    """One visitor's chat: a few such lines, from an address of its own."""
    headers = {"X-Forwarded-For": new_address()}
    status, started = _post(target, f"/widget/{target.site}/sessions", headers, {})
    target.tally[f"poisoned chat: {status}"] += 1
    if status != 201:
        stop.wait(1)
        return
    path = f"/widget/sessions/{started['session_id']}/messages"
    headers["Authorization"] = f"Bearer {started['token']}"
    for text in texts:
        if stop.wait(PAUSE_SECONDS):
            return
        message = {"client_id": str(uuid.uuid4()), "text": text}
        status, _ = _post(target, path, headers, message)
        target.tally[f"poisoned message: {status}"] += 1


def _ingest(target: Target, stop: threading.Event) -> None:
    """Ten such texts in one request, over and over."""
    headers = {"X-Forwarded-For": new_address(), "X-API-Key": target.api_key}
    while not stop.is_set():
        roles = itertools.cycle(("visitor", "assistant"))
        messages = [
            {"external_id": str(at), "role": role, "text": poisoned(*pump, LONGEST_OF_API)}
            for at, (role, pump) in enumerate(zip(roles, PUMPS[:10], strict=False))
        ]
        given: dict[str, Any] = {
            "channel": "api",
            "external_session_id": f"poison-{uuid.uuid4()}",
            "site": target.site,
            "messages": messages,
        }
        status, _ = _post(target, "/api/v1/messages", headers, given)
        target.tally[f"poisoned request to the API: {status}"] += 1
        stop.wait(1)


def _post(
    target: Target, path: str, headers: Mapping[str, str], data: object
) -> tuple[int | str, Any]:
    """The status and the JSON it was answered with; what went wrong instead of a status."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=TIMEOUT_SECONDS)
    try:
        sent = {"Content-Type": "application/json", **headers}
        connection.request("POST", path, json.dumps(data), sent)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return type(error).__name__, None
    finally:
        connection.close()
