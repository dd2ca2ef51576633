"""Chat completions on a real port, streaming or not: answers what it is told, and misbehaves.

`script(…)` sets the next answers, one a request; after those it gives `otherwise`. An answer is a
`Says`, or a function of the request's JSON that gives one.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Ending = Literal["done", "no_end", "cut", "stall", "endless"]


@dataclass(frozen=True)
class Calls:
    """A tool call; `arguments` as text go out as they are, in pieces."""

    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)
    id: str = ""

    @property
    def text(self) -> str:
        return (
            self.arguments
            if isinstance(self.arguments, str)
            else json.dumps(self.arguments, ensure_ascii=False)
        )


class Says:
    """One answer: its parts in order. A str is a piece of text, a float a pause in seconds, a
    Calls a tool call, bytes go out as they are, in place of an event.

    `ending`: `done`, as it should be · `no_end`: a clean end of the body, but no finish · `cut`:
    the connection breaks off · `stall`: silence until `release` · `endless`: the last text again
    and again. `status`: another than 200 answers `body` alone. `manner`, instead of an answer:
    `hang`: nothing until `release` · `close`: no answer · `drip`: a header byte every 0.1 s.
    """

    def __init__(
        self,
        *parts: str | float | bytes | Calls,
        ending: Ending = "done",
        finish: str = "",
        usage: tuple[int, int] | None = (10, 5),
        status: int = 200,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        manner: str = "",
    ) -> None:
        self.parts = parts
        self.ending = ending
        calls = any(isinstance(part, Calls) for part in parts)
        self.finish = finish or ("tool_calls" if calls else "stop")
        self.usage = usage
        self.status = status
        self.headers = headers or {}
        self.body = body
        self.manner = manner


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][0]["content"])


Answer = Says | Callable[[dict[str, Any]], Says]


class ChatCompletions:
    """`hung_up`: how many clients left before their answer was over. `most_at_once`: how many
    were answered at the same time.
    """

    def __init__(self, port: int = 0) -> None:
        self.otherwise: Answer = Says("Hello ", "there.")
        self.received: list[Received] = []
        self.hung_up = 0
        self.most_at_once = 0
        self._at_once = 0
        self._script: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def script(self, *answers: Answer) -> None:
        self._script.extend(answers)

    def release(self) -> None:
        """Let go of those that hang or stall."""
        self._released.set()

    def stop(self) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_until_hung_up(self, count: int = 1, within_seconds: float = 60) -> None:
        deadline = time.monotonic() + within_seconds
        while self.hung_up < count:
            assert time.monotonic() < deadline, f"{self.hung_up} of {count} clients hung up"
            time.sleep(0.02)

    @contextlib.contextmanager
    def _answering(self, received: Received) -> Iterator[Says]:
        with self._lock:
            self.received.append(received)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            answer = self._script.popleft() if self._script else self.otherwise
        try:
            yield answer if isinstance(answer, Says) else answer(received.body)
        except OSError:
            with self._lock:
                self.hung_up += 1
        finally:
            with self._lock:
                self._at_once -= 1


@contextlib.contextmanager
def running_chat_completions() -> Iterator[ChatCompletions]:
    server = ChatCompletions()
    try:
        yield server
    finally:
        server.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what some tests are about."""


def _handler(model: ChatCompletions) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 0

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with model._answering(Received(self.path, headers, body)) as says:
                if says.manner:
                    self.close_connection = True
                    getattr(self, f"_{says.manner}")()
                elif says.status != 200 or says.body:
                    self._answer(says.status, says.headers, says.body)
                elif body.get("stream"):
                    self._stream(says, body)
                else:
                    self._answer(200, {"Content-Type": "application/json"}, _whole(says, body))

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, says: Says, request: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._event({"role": "assistant", "content": ""})
            index = 0
            for part in says.parts:
                if isinstance(part, Calls):
                    self._call(part, index)
                    index += 1
                elif isinstance(part, str):
                    self._event({"content": part})
                elif isinstance(part, bytes):
                    self._chunk(part)
                else:
                    self._wait(part)
            self._end(says, request)

        def _call(self, call: Calls, index: int) -> None:
            begin = {"id": call.id or f"call_{index}", "type": "function"}
            function = {"name": call.name, "arguments": ""}
            self._event({"tool_calls": [{"index": index, **begin, "function": function}]})
            for at in range(0, len(call.text), 7):
                piece = {"arguments": call.text[at : at + 7]}
                self._event({"tool_calls": [{"index": index, "function": piece}]})

        def _end(self, says: Says, request: dict[str, Any]) -> None:
            texts = [part for part in says.parts if isinstance(part, str)]
            while says.ending == "endless" and not model._released.is_set():
                self._event({"content": texts[-1]})
            if says.ending == "stall":
                self._wait(60)
            if says.ending in ("cut", "stall", "endless"):
                self.close_connection = True
                return
            if says.ending == "done":
                self._event({}, says.finish)
                if says.usage and (request.get("stream_options") or {}).get("include_usage"):
                    self._send({"choices": [], "usage": _usage(says)})
                self._chunk(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def _event(self, delta: dict[str, Any], finish: str | None = None) -> None:
            self._send({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

        def _send(self, chunk: dict[str, Any]) -> None:
            data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            self._chunk(b"data: " + json.dumps({**data, **chunk}).encode() + b"\n\n")

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        def _hang(self) -> None:
            self._wait(60)

        def _close(self) -> None:
            self.connection.shutdown(socket.SHUT_RDWR)

        def _drip(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not model._released.is_set():
                self._wait(0.1)
                self.wfile.write(b"a")

        def _wait(self, seconds: float) -> None:
            """Notices a client that leaves meanwhile, and a release."""
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0 and not model._released.is_set():
                if select.select([self.connection], [], [], min(left, 0.05))[0]:
                    raise ConnectionResetError

        def log_message(self, *_arguments: Any) -> None:
            pass

    return Handler


def _whole(says: Says, request: dict[str, Any]) -> bytes:
    calls = [
        {
            "id": call.id or f"call_{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.text},
        }
        for index, call in enumerate(part for part in says.parts if isinstance(part, Calls))
    ]
    text = "".join(part for part in says.parts if isinstance(part, str))
    message = {
        "role": "assistant",
        "content": text or None,
        **({"tool_calls": calls} if calls else {}),
    }
    return json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": request.get("model", "m"),
            "choices": [{"index": 0, "message": message, "finish_reason": says.finish}],
            "usage": _usage(says),
        }
    ).encode()


def _usage(says: Says) -> dict[str, int]:
    given, taken = says.usage or (0, 0)
    return {"prompt_tokens": given, "completion_tokens": taken, "total_tokens": given + taken}
