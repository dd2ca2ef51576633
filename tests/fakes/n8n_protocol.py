"""What N8n's chat puts on the wire, and every way in which it can fail.

An answer is a `Script`: bytes go out as one chunk each, the other steps are done in between.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

#: `cut`: the connection ends in the middle · `stop`: it ends well · `hang`: nothing more, until
#: the other side goes · `drip`: a byte now and then · `endless`: words without end.
Step = bytes | float | Callable[[], None] | Literal["cut", "stop", "hang", "drip", "endless"]
PAUSE_SECONDS = 0.05
_META = {"nodeId": "1f1a", "nodeName": "AI Agent", "itemIndex": 0, "runIndex": 0, "timestamp": 1}


@dataclass(frozen=True)
class Script:
    steps: tuple[Step, ...]
    status: int | None = 200
    content_type: str = "application/json; charset=utf-8"


def event(kind: str, content: Any = None) -> bytes:
    value = {"type": kind, "metadata": _META} | ({} if content is None else {"content": content})
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


BEGIN, END = event("begin"), event("end")
ERROR = event("error", "NodeApiError: secret-key of ann@example.com was refused")


def item(words: Any) -> bytes:
    return event("item", words)


def round_of(*words: Any) -> tuple[bytes, ...]:
    """What an agent says in one go, between its tools."""
    return (BEGIN, *map(item, words), END)


def streamed(*words: Any) -> Script:
    return Script((*round_of(*words), b"\n"))


def whole(value: Any, status: int = 200) -> Script:
    """One JSON document, or any bytes."""
    return Script((value if isinstance(value, bytes) else json.dumps(value).encode(),), status)


_HTML = b"<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1>nginx</body></html>\n"
_UNKNOWN = {"code": 404, "message": 'The requested webhook "POST nope" is not registered.'}
HALF = (BEGIN, item("Our kitch"))

#: Each way in which there is no answer, and what we call it.
FAILURES: dict[str, tuple[str, Script]] = {
    "silent": ("too_slow", Script(("hang",), None)),
    "slow first word": ("too_slow", Script((BEGIN, "hang"))),
    "blanks without end": ("too_slow", Script(("drip",))),
    "stall": ("too_long", Script((*HALF, "hang"))),
    "drip": ("too_long", Script((*HALF, event("item", "ens")[:-20], "drip"))),
    "cut before": ("cut_off", Script(("cut",), None)),
    "cut at once": ("cut_off", Script(("cut",))),
    "cut in the middle": ("cut_off", Script((*HALF, "cut"))),
    "cut in a line": ("cut_off", Script((*HALF, b'{"type":"it', "cut"))),
    "no end": ("cut_off", Script((*HALF, "stop"))),
    "error line": ("broken", Script((*HALF, ERROR))),
    "error line first": ("broken", Script((ERROR, b"\n"))),
    "HTML": ("not_for_people", Script((_HTML,), content_type="text/html")),
    "HTML in the middle": ("not_for_people", Script((*HALF, _HTML))),
    "empty": ("empty", whole(b"")),
    "a blank line": ("empty", whole(b"\n")),
    "no items": ("empty", streamed()),
    "blank items": ("empty", streamed(" ", "\n")),
    "blank output": ("empty", whole({"output": " "})),
    "no output": ("empty", whole({"output": None})),
    "nothing in the array": ("empty", whole([])),
    "garbage": ("not_for_people", whole(b"\xff\xfe\x00\xd8\x80 \xc3\x28")),
    "garbage in the middle": ("not_for_people", Script((*HALF, b'{"type":"item","\xff\xff\n'))),
    "a bare string": ("not_for_people", whole("Hi")),
    "plain text": ("not_for_people", whole(b"Hi")),
    "a number": ("not_for_people", whole({"output": 4})),
    "started": ("not_for_people", whole({"message": "Workflow was started"})),
    "execution started": ("not_for_people", whole({"executionStarted": True})),
    "something else": ("not_for_people", whole({"rows": [1, 2]})),
    "something else in a text": ("not_for_people", whole({"output": '{"rows": [1, 2]}'})),
    "wrapped too deep": ("not_for_people", whole(b"[" * 40 + b"]" * 40)),
    "nested too deep": ("not_for_people", whole(b"[" * 100_000)),
    "error in workflow": ("broken", whole({"message": "Error in workflow"})),
    "error in workflow, 500": ("broken", whole({"message": "Error in workflow"}, 500)),
    "not started": ("broken", whole({"code": 0, "message": "Workflow could not be started!"}, 500)),
    "an error as an answer": ("broken", whole({"error": "secret-key", "message": "No"})),
    "not registered": ("missing", whole(_UNKNOWN, 404)),
    "not registered, 200": ("missing", whole(_UNKNOWN)),
    "moved": ("missing", whole(b"", 301)),
    "401": ("refused", whole(b"Authentication data is wrong!", 401)),
    "403": ("refused", whole(b"Authorization data is wrong!", 403)),
    "422": ("broken", whole({"code": 422, "message": "Failed to parse request body"}, 422)),
    "429": ("busy", whole(b"", 429)),
    "502": ("broken", Script((_HTML,), 502, "text/html")),
    "503": ("busy", whole({"code": 503, "message": "Database is not ready!"}, 503)),
    "endless": ("too_big", Script((BEGIN, "endless"))),
    "endless, and no stream": ("too_big", Script((b'{"output":"', "endless"))),
}


def play(handler: BaseHTTPRequestHandler, script: Script, is_over: Callable[[], bool]) -> None:
    """Send this answer. Ends early when the other side goes, or when it `is_over`."""
    handler.close_connection = True
    try:
        if script.status is not None:
            handler.protocol_version = "HTTP/1.1"
            handler.send_response(script.status)
            handler.send_header("Content-Type", script.content_type)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
        for step in script.steps:
            if step == "cut":
                handler.connection.shutdown(socket.SHUT_RDWR)
                return
            _take(handler, step, is_over)
        if script.status is not None:
            handler.wfile.write(b"0\r\n\r\n")
    except OSError:
        pass  # the other side has gone


def _take(handler: BaseHTTPRequestHandler, step: Step, is_over: Callable[[], bool]) -> None:
    if isinstance(step, bytes):
        _send(handler, step)
    elif isinstance(step, float):
        time.sleep(step)
    elif callable(step):
        step()
    elif step == "hang":
        handler.connection.settimeout(PAUSE_SECONDS)
        while not is_over():
            try:
                if not handler.connection.recv(1):
                    return
            except TimeoutError:
                pass
    elif step in ("drip", "endless"):
        while not is_over():
            _send(handler, b" " if step == "drip" else item("words and words ") * 50)
            if step == "drip":
                time.sleep(PAUSE_SECONDS)


def _send(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    if data:
        handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
