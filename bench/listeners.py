"""Visitors who hear an answer word by word, as the widget does, and note when each word came."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from bench.crowd import Line
from bench.stamps import stamps_in

#: An answer that takes longer counts as an error.
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Audience:
    """Each opens a chat of the site, then writes `turns` messages, each once the last was
    answered; all write their first within `begin_within_seconds`.
    """

    sites: tuple[str, ...]
    visitors: int
    turns: int = 1
    begin_within_seconds: float = 1.0


@dataclass(slots=True)
class Heard:
    """One answer. Times as `time.monotonic()`; `words`: when each was said, when it came."""

    site: str
    session_id: str
    text: str
    wrote_at: float
    words: list[tuple[float, float]] = field(default_factory=list)

    @property
    def late(self) -> list[float]:
        """Seconds on the way, word for word."""
        return [came - said for said, came in self.words]

    @property
    def longest_stall(self) -> float:
        """The most seconds between two words, less what the model took between them."""
        late = self.late
        return max((after - before for before, after in pairwise(late)), default=0.0)


def listen(port: int, audience: Audience) -> tuple[list[Heard], Counter[str]]:
    """What each heard, and what went wrong."""
    return asyncio.run(_gather(port, audience))


async def _gather(port: int, audience: Audience) -> tuple[list[Heard], Counter[str]]:
    heard: list[Heard] = []
    errors: Counter[str] = Counter()
    all_are_in = asyncio.Barrier(audience.visitors)
    few_at_once = asyncio.Semaphore(20)

    async def visit(number: int) -> None:
        line = Line(port)
        site = audience.sites[number % len(audience.sites)]
        async with few_at_once:
            opened = json.loads(await line.post(f"/widget/{site}/sessions", {}))
        await all_are_in.wait()
        await asyncio.sleep(number * audience.begin_within_seconds / audience.visitors)
        try:
            for _ in range(audience.turns):
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    heard.append(await _ask(line, site, opened["session_id"], opened["token"]))
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            errors[f"{type(error).__name__}: {error}"[:80]] += 1
        finally:
            line.hang_up()

    await asyncio.gather(*map(visit, range(audience.visitors)))
    return heard, errors


async def _ask(line: Line, site: str, session_id: str, token: str) -> Heard:
    heard = Heard(site, session_id, "", time.monotonic())
    data = {"client_id": str(uuid.uuid4()), "text": "Please tell me more about it"}
    shown, has_ended = "", False
    path = f"/widget/sessions/{session_id}/messages"
    async for event in line.stream(path, data, token):
        came_at = time.monotonic()
        name, _, content = event.decode().partition("\n")
        value = json.loads(content.removeprefix("data: "))
        if name == "event: delta":
            # A stamp may come in two pieces.
            known = len(heard.words)
            shown += value["text"]
            heard.words += [(said, came_at) for said in stamps_in(shown)[known:]]
        elif name == "event: message" and value["role"] == "assistant":
            heard.text = value["text"]
        elif name == "event: problem":
            raise ValueError(value["detail"])
        has_ended = has_ended or name == "event: state"
    if not has_ended or not heard.words or shown.strip() != heard.text:
        raise ValueError("the answer is not what was streamed")
    return heard
