"""Hundreds of clients that never finish their request, drip it, or do not read the answer."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.proof.attacks.target import Target, new_address

HALF_HEADS = 600
DRIPPING_BODIES = 200
SILENT_READERS = 100
OPEN_ENDED = 50
ROUND_SECONDS = 1.0

_HEAD = "{} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {}\r\n"
_FORM = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\na="


def attack(target: Target, stop: threading.Event) -> None:
    """Keeps so many of each open, and opens a new one for each that the server has closed."""
    kinds = [
        *[("half_head", "GET /healthz", "X-Never: ")] * HALF_HEADS,
        *[("dripping_body", "POST /login", _FORM)] * DRIPPING_BODIES,
        *[("silent_reader", "GET /embed/widget.js", "\r\n")] * SILENT_READERS,
        *[("open_ended", "GET /healthz", "Connection: close\r\n\r\n")] * OPEN_ENDED,
    ]
    held: list[socket.socket | None] = [None] * len(kinds)
    try:
        while not stop.is_set():
            for place, kind in enumerate(kinds):
                if stop.is_set():
                    break
                held[place] = _go_on(target, held[place], *kind)
            stop.wait(ROUND_SECONDS)
    finally:
        for client in filter(None, held):
            client.close()


def _go_on(
    target: Target, client: socket.socket | None, name: str, request: str, rest: str
) -> socket.socket | None:
    """The client that stands for this attacker now: the same one with a byte more, or a new one."""
    if client is None:
        return _begin(target, name, request, rest)
    try:
        if name in ("half_head", "dripping_body"):
            client.send(b"x")
            if client.recv(1000):
                target.tally[f"{name} refused"] += 1
                client.close()
                return None
    except BlockingIOError:
        return client
    except OSError:
        pass
    else:
        if name in ("silent_reader", "open_ended"):
            return client
    target.tally[f"{name} closed"] += 1
    client.close()
    return None


def _begin(target: Target, name: str, request: str, rest: str) -> socket.socket | None:
    client = socket.socket()
    if name == "silent_reader":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(2)
    sent = (_HEAD.format(request, new_address()) + rest).encode()
    try:
        client.connect(("127.0.0.1", target.port))
        client.setblocking(False)
        # A silent reader asks again and again on one connection and reads none of the answers.
        with contextlib.suppress(BlockingIOError):
            client.send(sent * (100 if name == "silent_reader" else 1))
    except OSError:
        target.tally[f"{name} not connected"] += 1
        client.close()
        return None
    target.tally[f"{name} begun"] += 1
    return client
