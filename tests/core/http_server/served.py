"""A small application behind the real gunicorn with our worker, and clients that misbehave."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 60
LARGE_BYTES = 200_000_000
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX-Never: "

#: Other limits than the product's, for tests: how long is of no matter, that it ends is.
CONF = f"""
import sys, types
# The worker by itself: the rest of the product takes seconds to import.
sys.modules["app"] = types.ModuleType("app")
sys.modules["app"].__path__ = [{str(ROOT / "app")!r}]
from app.core.http_server import connection, worker
bind = "127.0.0.1:0"
worker_class = "app.core.http_server.worker.Worker"
workers, threads, loglevel, control_socket_disable, sendfile = 1, 2, "info", True, False
graceful_timeout = 20
"""


def app(environ: dict[str, Any], start_response: Any) -> Any:
    """`/` says what it was sent; `/unread` does not read it; `/large` says more than one reads."""
    path = environ["PATH_INFO"]
    if path == "/large":
        start_response("200 OK", [("Content-Length", str(LARGE_BYTES))])
        return (b"x" * 100_000 for _ in range(LARGE_BYTES // 100_000))
    body = b"" if path == "/unread" else environ["wsgi.input"].read()
    answer = f"{environ['REQUEST_METHOD']} {path} {len(body)} {body[:20]!r}".encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


class Server:
    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port
        self._clients = ExitStack()

    def connect(self, sent: bytes = b"", *, reads_little: bool = False) -> socket.socket:
        """A client that has sent this. It is closed with the server."""
        client = socket.socket()
        if reads_little:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE_SECONDS)
        client.connect(("127.0.0.1", self.port))
        self._clients.enter_context(contextlib.closing(client))
        client.sendall(sent)
        return client

    def ask(self, request: bytes = GET) -> str:
        """One request on a connection of its own; gives the answer's status line and body."""
        client = self.connect(request)
        try:
            return answer(client)
        finally:
            client.close()

    def close(self) -> None:
        self._clients.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def answer(client: socket.socket) -> str:
    """The next answer on this connection, and no more: `200 OK: what it says`; "" at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        if not byte:
            return ""
        head += byte
    lines = head.decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    body = b""
    while len(body) < int(fields.get("content-length", 0)):
        body += client.recv(int(fields["content-length"]) - len(body))
    return f"{lines[0].removeprefix('HTTP/1.1 ')}: {body.decode()}"


def is_closed(client: socket.socket) -> bool:
    """Waits for the server to say something or to end."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@contextmanager
def serving(folder: Path, *settings: str, files: int | None = None) -> Iterator[Server]:
    """`settings`: lines for gunicorn's configuration. `files`: how many it may open, at first."""
    (folder / "conf.py").write_text("\n".join([CONF, *settings]))

    def limit() -> None:
        if files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, resource.getrlimit(7)[1]))

    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", folder / "conf.py", f"{__name__}:app"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,  # noqa: PLW1509 - before any thread
    )
    server = None
    try:
        assert process.stderr is not None
        log = ""
        while "Listening at" not in log:
            line = process.stderr.readline()
            assert line, log
            log += line
        port = int(log.rpartition("127.0.0.1:")[2].split()[0])
        server = Server(process, port)
        yield server
    finally:
        if server is None:
            process.kill()
            process.wait()
        else:
            server.close()
        if process.stderr is not None:
            process.stderr.close()
