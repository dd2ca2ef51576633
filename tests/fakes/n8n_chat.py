"""N8n's chat webhook on a real port: as it is told, or with a chat memory that it writes.

Like the agent of n8n 2.41: the rows of a turn are inserted one by one when the answer is ready,
on a connection of its own, and the stored session id has the memory node's name behind it.
"""

# ruff: noqa: S608 - the table is this file's own
from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg

from tests.fakes.n8n_protocol import BEGIN, END, Script, item, play, round_of, streamed, whole

TABLE = "n8n_chat_histories"
NODE = "__Postgres_Chat_Memory"
#: Answers that come again and again, so that equal lines have to be told apart.
COMMON = ("Noted.", "And what else?", "Thank you, **all** noted!")
WHOLE = ("plain", "plain", "tool", "blanks", "extra", "list", "lost", "broken", "asked")
MANNERS = (*WHOLE, "stream", "stream", "stream", "rounds", "rounds", "torn")


class Workflow:
    """A chat that answers with the scripts of `then`, one after the other; after those `always`."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.then: deque[Script] = deque()
        self.always = streamed("Hello ", "from N8n.")
        self.open = 0
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook/5ive/chat"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: dict[str, Any]) -> Script:
        """What this request is answered with."""
        with self._lock:
            self.requests.append(request)
            return self.then.popleft() if self.then else self.always

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            self.open += 1
        try:
            play(handler, self.answer(json.loads(body)), self._is_over.is_set)
        finally:
            with self._lock:
                self.open -= 1


@contextlib.contextmanager
def running_workflow() -> Iterator[Workflow]:
    workflow = Workflow()
    try:
        yield workflow
    finally:
        workflow.stop()


class N8nChat(Workflow):
    """`only_here`: what its memory says of each session that nobody else can know."""

    def __init__(self, libpq_url: str, seed: int = 5) -> None:
        self.only_here: dict[str, list[str]] = defaultdict(list)
        self._libpq_url = libpq_url
        self._random = random.Random(seed)
        self._count = 0
        super().__init__()

    def answer(self, request: dict[str, Any]) -> Script:
        with self._lock:
            self.requests.append(request)
            if self.then:
                return self.then.popleft()
            self._count += 1
            number = self._count
            manner = self._random.choice(MANNERS)
            tail = self._random.choice(("", NODE))
            text = self._random.choice((*COMMON, f"Answer {number}."))
        asked, session_id = request["chatInput"], request["sessionId"] + tail
        if manner == "broken":  # the agent failed: nothing is written
            return whole({"message": "Error in workflow"}, 500)
        rows: list[tuple[str, Any]] = [("human", asked)]
        if manner == "asked":  # a retry inside the workflow notes the question twice
            rows.append(("human", asked))
        if manner in ("tool", "rounds"):
            first = "Let me look that up." if manner == "rounds" else []
            rows += [("ai", first), ("tool", '[{"response":"4"}]')]
        if manner == "extra":
            said = f"Only N8n knows {number}."
            rows.append(("ai", said))
            self._note(request["sessionId"], said)
        rows.append(("ai", text + ("  \n" if manner == "blanks" else "")))
        if manner in ("lost", "torn"):
            self._note(request["sessionId"], text)
        return self._script(manner, text, lambda: self.write(session_id, rows))

    def _script(self, manner: str, text: str, write: Callable[[], None]) -> Script:
        """The answer; the memory is written when the agent is done."""
        match manner:
            case "lost":
                return Script((write, "cut"), None)
            case "torn":
                return Script((BEGIN, item(text[:3]), write, "cut"))
            case "stream":
                return Script((BEGIN, item(text[:3]), item(text[3:]), write, END, b"\n"))
            case "rounds":
                look = round_of("Let me ", "look that up.")
                return Script((*look, BEGIN, item(text), write, END, b"\n"))
            case "list":
                return Script((write, *whole([{"output": text}]).steps))
        return Script((write, *whole({"output": text}).steps))

    def _note(self, session_id: str, said: str) -> None:
        with self._lock:
            self.only_here[session_id].append(said)

    def write(self, session_id: str, rows: list[tuple[str, Any]]) -> None:
        with psycopg.connect(self._libpq_url, autocommit=True) as connection:
            for kind, content in rows:
                connection.execute(
                    f"INSERT INTO {TABLE} (session_id, message) VALUES (%s, %s)",
                    (session_id, json.dumps({"type": kind, "content": content, **_EXTRAS[kind]})),
                )
                time.sleep(0.001)


_PLAIN: dict[str, Any] = {"additional_kwargs": {}, "response_metadata": {}}
_EXTRAS: dict[str, dict[str, Any]] = {
    "human": _PLAIN,
    "ai": {**_PLAIN, "tool_calls": [], "invalid_tool_calls": []},
    "tool": {**_PLAIN, "name": "Calculator", "tool_call_id": "call_abc"},
}


@contextlib.contextmanager
def running_n8n_chat(libpq_url: str) -> Iterator[N8nChat]:
    """The webhook and its table, which goes with it."""
    with psycopg.connect(libpq_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE TABLE {TABLE} (id SERIAL PRIMARY KEY,"
            " session_id VARCHAR(255) NOT NULL, message JSONB NOT NULL)"
        )
        chat = N8nChat(libpq_url)
        try:
            yield chat
        finally:
            chat.stop()
            connection.execute(f"DROP TABLE {TABLE}")


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128


def _handler(workflow: Workflow) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            workflow.serve(self)

        def log_message(self, *_arguments: Any) -> None:
            pass

    return Handler
