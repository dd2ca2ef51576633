"""N8n's chat webhook on a real port: it answers, and before that writes its chat memory.

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
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg

TABLE = "n8n_chat_histories"
NODE = "__Postgres_Chat_Memory"
#: Answers that come again and again, so that equal lines have to be told apart.
COMMON = ("Noted.", "And what else?", "Thank you, **all** noted!")
MANNERS = ("plain", "plain", "plain", "tool", "blanks", "extra", "list", "lost", "broken", "asked")


class N8nChat:
    """`only_here`: what its memory says of each session that nobody else can know."""

    def __init__(self, libpq_url: str, seed: int = 5) -> None:
        self.only_here: dict[str, list[str]] = defaultdict(list)
        self.requests: list[dict[str, Any]] = []
        self._libpq_url = libpq_url
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._count = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook/5ive/chat"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: dict[str, Any]) -> tuple[int, bytes] | None:
        """Status and body; None: hang up without an answer."""
        with self._lock:
            self.requests.append(request)
            self._count += 1
            number = self._count
            manner = self._random.choice(MANNERS)
            tail = self._random.choice(("", NODE))
            text = self._random.choice((*COMMON, f"Answer {number}."))
        session_id = request["sessionId"]
        if manner == "broken":  # the agent failed: nothing is written
            return 500, b'{"message":"Error in workflow"}'
        if manner == "asked":  # a retry inside the workflow notes the question twice
            self._write(session_id + tail, [("human", request["chatInput"])])
        rows: list[tuple[str, Any]] = [("human", request["chatInput"])]
        if manner == "tool":
            rows += [("ai", []), ("tool", '[{"response":"4"}]')]
        if manner == "extra":
            said = f"Only N8n knows {number}."
            rows.append(("ai", said))
            self._note(session_id, said)
        rows.append(("ai", text + ("  \n" if manner == "blanks" else "")))
        self._write(session_id + tail, rows)
        if manner == "lost":
            self._note(session_id, text)
            return None
        answer: Any = {"output": text}
        return 200, json.dumps([answer] if manner == "list" else answer).encode()

    def _note(self, session_id: str, said: str) -> None:
        with self._lock:
            self.only_here[session_id].append(said)

    def _write(self, session_id: str, rows: list[tuple[str, Any]]) -> None:
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


def _handler(chat: N8nChat) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = chat.answer(json.loads(body))
            if answer is None:
                self.close_connection = True
                return
            status, words = answer
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_arguments: Any) -> None:
            pass

    return Handler
