"""gunicorn's threaded worker behind a waiting room: a request gets a thread once it has arrived.

gunicorn reads a request in the thread that answers it, so a few hundred clients that send half a
head hold every thread. Here the main loop collects each request without blocking, within a
deadline, and the threads never read from a socket. Waiting connections cost a file descriptor, and
where these run out the one that waits longest is closed: idle clients lock nobody out.

Everything but `handle_request` runs on the main thread, which must never block.
"""

from __future__ import annotations

import contextlib
import errno
import json
import resource
import selectors
import socket
import sys
import time
from collections import Counter
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from app.core.addresses import rate_key
from app.core.http_server.arrival import Stage
from app.core.http_server.connection import Connection, ResponseSocket

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
#: How long a client may go on sending what nobody reads, so that it gets its answer all the same.
CLOSING_SECONDS = 5.0
READ_BYTES = 64 * 1024
ACCEPTED_AT_ONCE = 16
#: A request up to this size is ordinary; the larger ones of a process share `LARGE_ROOM_BYTES`.
ORDINARY_BYTES = 64 * 1024
LARGE_ROOM_BYTES = 64 * 1024 * 1024
#: For everything that is no connection: the database, log files, the threads' own sockets.
OTHER_DESCRIPTORS = 600

LATE = "The request did not arrive in time. Please try again."
HEAD_TOO_LARGE = "The header fields of the request are too large."
NO_ROOM = "Too many large requests are arriving. Please try again in a few seconds."


class Worker(ThreadWorker):  # type: ignore[misc]
    """`most_per_address`: how many connections one address may have; None behind a proxy, where
    all of them come from the proxy's. `largest_body_bytes`: of any request; a larger one is
    answered without its body. gunicorn's configuration sets both.
    """

    most_per_address: ClassVar[int | None] = None
    largest_body_bytes: ClassVar[int] = 1024 * 1024

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Those no thread works for, the one that waits longest first.
        self._waiting: dict[Connection, None] = {}
        self._large_bytes = 0
        self._of_address: Counter[str] = Counter()
        self._expire_at = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if cfg.is_ssl:
            sys.exit("certfile is set, but TLS is the work of a proxy in front of gunicorn.")

    def init_process(self) -> None:
        descriptors = _raise_descriptor_limit(self.cfg.worker_connections + OTHER_DESCRIPTORS)
        self.worker_connections: int = max(100, descriptors - OTHER_DESCRIPTORS)
        super().init_process()

    def accept(self, listener: Any) -> None:
        """A turn of the loop may be long when many connections are busy: then several wait here,
        and a health check may be behind them. The other processes get some of them, too.
        """
        for _ in range(ACCEPTED_AT_ONCE):
            if not self._accept_one(listener):
                return

    def _accept_one(self, listener: Any) -> bool:
        """False when none is waiting, or there is no room for it."""
        try:
            accepted, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._close_longest_waiting()
            elif error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                raise
            return False
        sock = ResponseSocket(
            accepted.family, accepted.type, accepted.proto, fileno=accepted.detach()
        )
        connection = Connection(
            self.cfg, sock, client, listener.getsockname(), self.largest_body_bytes
        )
        self.nr_conns += 1
        self._wait(connection, HEAD_SECONDS)
        self._limit_address(connection)
        self._make_room()
        if connection in self._waiting:  # behind a proxy the request is usually there already
            self._receive(connection)
        return True

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """In a thread. What remains of a request that is not whole can't be told from the next."""
        conn.sock.begin_response()
        req._expected_100_continue = False  # already sent
        if not conn.is_whole:
            req.force_close()
        return bool(super().handle_request(req, conn))

    def finish_request(self, conn: Connection, fs: Future[bool]) -> None:
        is_kept = not fs.cancelled() and fs.exception() is None and fs.result()
        self._forget_large(conn)
        if conn.sock.fileno() < 0:  # gunicorn closes it where an answer broke off
            self._forget(conn)
        elif not is_kept:
            self._begin_closing(conn)
        else:
            conn.await_next_request()
            seconds = self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
            self._wait(conn, HEAD_SECONDS if conn.received else seconds)
            if conn.received:
                self._advance(conn)
        self._make_room()

    def murder_keepalived(self, force: bool = False) -> None:
        """gunicorn calls it once a turn of its loop; once a second is enough."""
        now = time.monotonic()
        if now < self._expire_at and not force:
            return
        self._expire_at = now + 1.0
        for connection in [c for c in self._waiting if force or c.deadline <= now]:
            if force or connection.is_closing or connection.arrival.stage is Stage.IDLE:
                self._close(connection)
            else:
                self._refuse(connection, HTTPStatus.REQUEST_TIMEOUT, LATE)

    def _cap_keepalive(self, deadline: float) -> None:
        for connection in self._waiting:
            connection.deadline = min(connection.deadline, deadline)

    def _wait(self, connection: Connection, seconds: float) -> None:
        connection.sock.setblocking(False)
        connection.deadline = time.monotonic() + seconds
        self._waiting[connection] = None
        self.poller.register(
            connection.sock, selectors.EVENT_READ, partial(self._on_readable, connection)
        )

    def _leave(self, connection: Connection) -> None:
        del self._waiting[connection]
        self.poller.unregister(connection.sock)

    def _on_readable(self, connection: Connection, _sock: socket.socket) -> None:
        if connection in self._waiting:  # else it was closed earlier in this turn of the loop
            self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
        elif not connection.is_closing:
            connection.received += data
            self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        before, arrival = connection.arrival.stage, connection.arrival
        stage = arrival.advance(connection.received)
        self._count_large(connection)
        if connection.is_closing:
            return
        if stage is Stage.TOO_LARGE_HEAD:
            self._refuse(connection, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HEAD_TOO_LARGE)
        elif stage in (Stage.WHOLE, Stage.TOO_LARGE_BODY):
            self._leave(connection)
            self.enqueue_req(connection)
        elif stage is not before:
            if before is Stage.IDLE:
                connection.deadline = time.monotonic() + HEAD_SECONDS
            if stage is Stage.BODY:
                connection.deadline = time.monotonic() + BODY_SECONDS
                if arrival.expects_continue:
                    _send(connection, b"HTTP/1.1 100 Continue\r\n\r\n")

    def _count_large(self, connection: Connection) -> None:
        if len(connection.received) <= max(ORDINARY_BYTES, connection.large_bytes):
            return
        self._large_bytes += len(connection.received) - connection.large_bytes
        connection.large_bytes = len(connection.received)
        while self._large_bytes > LARGE_ROOM_BYTES:
            large = next((c for c in self._waiting if c.large_bytes), None)
            if large is None:
                return
            self._refuse(large, HTTPStatus.SERVICE_UNAVAILABLE, NO_ROOM)

    def _forget_large(self, connection: Connection) -> None:
        self._large_bytes -= connection.large_bytes
        connection.large_bytes = 0

    def _limit_address(self, connection: Connection) -> None:
        if self.most_per_address is None or not isinstance(connection.client, tuple):
            return
        connection.address = rate_key(connection.client[0])
        self._of_address[connection.address] += 1
        if self._of_address[connection.address] > self.most_per_address:
            self._close(next(c for c in self._waiting if c.address == connection.address))

    def _make_room(self) -> None:
        while self.nr_conns >= self.worker_connections and self._waiting:
            self._close_longest_waiting()

    def _close_longest_waiting(self) -> None:
        if self._waiting:
            self._close(next(iter(self._waiting)))

    def _refuse(self, connection: Connection, status: HTTPStatus, detail: str) -> None:
        body = json.dumps(
            {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
        )
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            "Content-Type: application/problem+json\r\nX-Content-Type-Options: nosniff\r\n"
            f"Cache-Control: no-store\r\nRetry-After: 3\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        _send(connection, (head + body).encode())
        self._leave(connection)
        self._begin_closing(connection)

    def _begin_closing(self, connection: Connection) -> None:
        """End our side, then wait until the client ends its own (RFC 9112, section 9.6)."""
        self._forget_large(connection)
        connection.received.clear()
        connection.is_closing = True
        self._wait(connection, CLOSING_SECONDS if self.alive else 1.0)
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        self._receive(connection)

    def _close(self, connection: Connection) -> None:
        self._leave(connection)
        self._forget_large(connection)
        self._forget(connection)
        connection.close()

    def _forget(self, connection: Connection) -> None:
        self.nr_conns -= 1
        if connection.address:
            self._of_address[connection.address] -= 1
            if not self._of_address[connection.address]:
                del self._of_address[connection.address]


def _send(connection: Connection, data: bytes) -> None:
    """A few bytes into an empty buffer; a client that is gone is found out by reading."""
    with contextlib.suppress(OSError):
        connection.sock.send(data)


def _raise_descriptor_limit(needed: int) -> int:
    """How many of the `needed` files this process may open, after asking the system for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS allows fewer than its limit says
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
