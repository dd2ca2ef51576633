"""One client's connection: what has arrived of its next request, and how long it may be written."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Any

from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

from app.core.http_server.arrival import Arrival, Stage

#: How long a thread may wait in all for a client to read one answer, and the rate, in bytes a
#: second, that buys a large answer more time.
READER_SECONDS = 30.0
SLOWEST_READER = 20_000
PIECE_BYTES = 64 * 1024
#: So many threads of a process wait that long. Where more would, they wait a second each: clients
#: that do not read must not hold every thread.
PATIENT_THREADS = 64
IMPATIENT_SECONDS = 1.0
_patience = threading.BoundedSemaphore(PATIENT_THREADS)


class ResponseSocket(socket.socket):
    """A client's socket that gives up a client which does not read: BrokenPipeError."""

    _waited = 0.0
    _read_slowly = 0

    def begin_response(self) -> None:
        self._waited, self._read_slowly = 0.0, 0

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Only time spent waiting counts: a stream with nothing to say may stay open for hours."""
        try:
            sent = self.send(data, flags | socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        rest = memoryview(data)[sent:]
        for at in range(0, len(rest), PIECE_BYTES):
            self._send_when_read(rest[at : at + PIECE_BYTES], flags)

    def _send_when_read(self, data: memoryview, flags: int) -> None:
        """The system's buffer is full, so what it takes from now on is what the client reads."""
        is_patient = _patience.acquire(blocking=False)
        seconds = READER_SECONDS if is_patient else IMPATIENT_SECONDS
        left = seconds + self._read_slowly / SLOWEST_READER - self._waited
        started = time.monotonic()
        try:
            self.settimeout(max(left, 0.001))
            super().sendall(data, flags)
            self.settimeout(None)
        except TimeoutError:
            # gunicorn closes the connection of a client that is gone without a word in the log.
            raise BrokenPipeError(errno.EPIPE, "the client did not read its answer") from None
        finally:
            if is_patient:
                _patience.release()
            self._waited += time.monotonic() - started
        self._read_slowly += len(data)


class _ArrivedBytes(SocketUnreader):  # type: ignore[misc]
    """Gives gunicorn's parser what has arrived, and then the end: a thread never waits for more.

    In pieces, because gunicorn copies what is left of a piece for every chunk in it.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.sock)
        self._connection = connection

    def chunk(self, size_hint: int | None = None) -> bytes:
        received = self._connection.received
        piece = bytes(received[: max(self.mxchunk, size_hint or 0)])
        del received[: len(piece)]
        return piece


class Connection(TConn):  # type: ignore[misc]
    """`deadline`: when it is closed unless something happens, on the monotonic clock.

    `address`: whom it is counted under. `large_bytes`: what it holds of the room for large bodies.
    """

    def __init__(
        self, cfg: Any, sock: ResponseSocket, client: Any, server: Any, largest_body_bytes: int
    ) -> None:
        super().__init__(cfg, sock, client, server)
        self.data_ready = True  # gunicorn's own wait in a thread is not needed
        self.address = ""
        self.deadline = 0.0
        self.is_closing = False
        self.large_bytes = 0
        self.received = bytearray()
        self._largest_body_bytes = largest_body_bytes
        self.arrival = Arrival(largest_body_bytes)
        self.parser = RequestParser(cfg, sock, client)
        self.parser.unreader = _ArrivedBytes(self)

    @property
    def is_whole(self) -> bool:
        return self.arrival.stage is Stage.WHOLE

    def await_next_request(self) -> None:
        """What the client sent beyond the request that was answered belongs to the next one."""
        self.received[:0] = self.parser.unreader.take_buffered()
        self.arrival = Arrival(self._largest_body_bytes)
