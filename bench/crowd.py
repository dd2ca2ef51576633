"""Many visitors in one light process: raw HTTP over asyncio streams, parsed only as needed."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from bench.chatting import DIALOGUE

#: A turn that takes longer counts as an error.
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Visitors arrive evenly over `arrive_within_seconds`, open the chat, write their first
    message, and write again `shortest` to `longest` seconds after they last wrote, though never
    before they have been answered, until `stop_after_seconds`.
    """

    visitors: int = 500
    arrive_within_seconds: float = 3.0
    shortest_interval_seconds: float = 3.0
    longest_interval_seconds: float = 10.0
    stop_after_seconds: float = 60.0


@dataclass(slots=True)
class Seen:
    """Seconds from sending a message to the end of its answer, and what went wrong."""

    answer_seconds: list[float] = field(default_factory=list)
    open_seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


def run(port: int, plan: Plan) -> Seen:
    return asyncio.run(_crowd(port, plan))


async def _crowd(port: int, plan: Plan) -> Seen:
    seen = Seen()
    started = time.perf_counter()
    visitors = (
        _visit(port, plan, seen, started, number * plan.arrive_within_seconds / plan.visitors)
        for number in range(plan.visitors)
    )
    await asyncio.gather(*visitors)
    return seen


async def _visit(port: int, plan: Plan, seen: Seen, started: float, arrives_after: float) -> None:
    await asyncio.sleep(arrives_after)
    line = Line(port)
    try:
        opened = await _timed(seen.open_seconds, lambda: line.post("/widget/demo/sessions", {}))
        session = json.loads(opened)
        path = f"/widget/sessions/{session['session_id']}/messages"
        turn = 0
        while time.perf_counter() - started < plan.stop_after_seconds:
            wrote_at = time.perf_counter()
            data = {"client_id": str(uuid.uuid4()), "text": DIALOGUE[turn % len(DIALOGUE)]}
            events = await _timed(
                seen.answer_seconds, lambda data=data: line.post(path, data, session["token"])
            )
            if events.count(b"event: message") != 2 or b"event: state" not in events:
                seen.errors["incomplete answer"] += 1
            turn += 1
            interval = random.uniform(plan.shortest_interval_seconds, plan.longest_interval_seconds)
            await asyncio.sleep(wrote_at + interval - time.perf_counter())
    except TimeoutError:
        seen.errors["timed out"] += 1
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        seen.errors[f"{type(error).__name__}: {error}"[:80]] += 1
    finally:
        line.hang_up()


async def _timed(seconds: list[float], ask: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
    began = time.perf_counter()
    answer = await asyncio.wait_for(ask(), TIMEOUT_SECONDS)
    seconds.append(time.perf_counter() - began)
    return answer


class Line:
    """One connection, kept alive as a browser keeps it; opened again when it was closed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, data: object, token: str = "") -> bytes:
        """The body of the answer; with a token, the whole event stream. Raises ValueError."""
        head = await self._ask(path, data, token)
        assert self.reader is not None
        status = head.split(b" ", 2)[1]
        if b"transfer-encoding: chunked" in head:
            body = await self.reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await self.reader.readexactly(length)
        if b"connection: close" in head:
            self.hang_up()
        if status not in (b"200", b"201"):
            raise ValueError(f"status {status.decode()}")
        return body

    async def stream(self, path: str, data: object, token: str) -> AsyncIterator[bytes]:
        """The pieces of an event stream as they come. Raises ValueError."""
        head = await self._ask(path, data, token)
        assert self.reader is not None
        if b" 200 " not in head[:16] or b"transfer-encoding: chunked" not in head:
            raise ValueError(f"no stream: {head[:16]!r}")
        while size := int(await self.reader.readline(), 16):
            yield await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        if b"connection: close" in head:
            self.hang_up()

    async def _ask(self, path: str, data: object, token: str) -> bytes:
        """Send it; gives the head of the answer, in small letters."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self.reader is not None
        self.writer.write(_request(self.port, path, json.dumps(data).encode(), token))
        return (await self.reader.readuntil(b"\r\n\r\n")).lower()

    def hang_up(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def _request(port: int, path: str, body: bytes, token: str) -> bytes:
    own = f"Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"{own}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
