"""A model and a workflow that stream: chat completions and N8n's lines, any number at once.

python -m bench.model PORT

A first word after a random while, then a few words every 100 to 200 ms for twelve seconds.
Every piece ends with a stamp: when it was said.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Callable

from bench.stamps import stamp

FIRST_WORD_SECONDS = (0.5, 1.5)
BETWEEN_SECONDS = (0.1, 0.2)
TALKS_SECONDS = 12.0
LAST_WORDS = "and that is all."
PIECES = (
    "we can look at the kitchen",
    "together and then tell you",
    "what is possible",
    "there, what",
    "it would take",
    "and which of",
    "our people would come",
)


def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_serve(int(sys.argv[1])))


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            if head.startswith(b"POST /v1/"):
                await _talk(writer, "text/event-stream", _completion, b"data: [DONE]\n\n")
            elif head.startswith(b"POST "):
                await _talk(writer, "application/json; charset=utf-8", _line, b"\n")
            else:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _talk(
    writer: asyncio.StreamWriter, kind: str, event: Callable[[str, str], bytes], last: bytes
) -> None:
    writer.write(
        f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    writer.write(_chunk(event("begin", "")))
    await asyncio.sleep(random.uniform(*FIRST_WORD_SECONDS))
    ends_at = time.monotonic() + TALKS_SECONDS
    piece = "Well,"
    while time.monotonic() < ends_at:
        writer.write(_chunk(event("item", f"{piece} {stamp()} ")))
        await writer.drain()
        await asyncio.sleep(random.uniform(*BETWEEN_SECONDS))
        piece = random.choice(PIECES)
    writer.write(_chunk(event("item", LAST_WORDS)))
    writer.write(_chunk(event("end", "")) + _chunk(last) + b"0\r\n\r\n")
    await writer.drain()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _completion(kind: str, text: str) -> bytes:
    delta = {"begin": {"role": "assistant", "content": ""}, "item": {"content": text}, "end": {}}
    choice = {"index": 0, "delta": delta[kind], "finish_reason": "stop" if kind == "end" else None}
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_795_000_000,
        "model": "played",
        "choices": [choice],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _line(kind: str, text: str) -> bytes:
    about = {
        "nodeId": "3c1f9a52-9d7b-4c63-8b7e-0f6ff4ad1234",
        "nodeName": "AI Agent",
        "itemIndex": 0,
        "runIndex": 0,
        "timestamp": round(1000 * time.time()),
    }
    line = {"type": kind, "metadata": about} | ({"content": text} if kind == "item" else {})
    return json.dumps(line).encode() + b"\n"


if __name__ == "__main__":
    main()
