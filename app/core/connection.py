"""A TCP connection that is made before a deadline, to an address that may be reached."""

from __future__ import annotations

import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import certifi

ErrorKind = Literal[
    "address", "dns", "forbidden", "refused", "unreachable", "tls", "timeout", "closed", "garbage"
]
#: Whether a connection may go to this address, given as text.
MayReach = Callable[[str], bool]


class OutboundError(Exception):
    """No whole answer came. `kind` is one short machine word."""

    def __init__(self, kind: ErrorKind) -> None:
        super().__init__(kind)
        self.kind = kind


def connect(
    host: str, port: int, deadline: float, may_reach: MayReach | None = None
) -> socket.socket:
    """A connection to the first of the host's addresses that takes one, before the deadline.

    `deadline`: of `time.monotonic()`. `may_reach` is asked about each address that is connected
    to, after its name was looked up: what the name says later does not count. Raises OutboundError
    (`dns`, `forbidden`), TimeoutError, other OSErrors.
    """
    addresses = [
        (family, address)
        for family, address in _resolve(host, port, deadline)
        if may_reach is None or may_reach(address[0])
    ]
    if not addresses:
        raise OutboundError("forbidden")
    failure: OSError = TimeoutError("no time left to connect")
    for at, (family, address) in enumerate(addresses):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            # An address that says nothing leaves the next ones their share.
            connection.settimeout(left(deadline) / (len(addresses) - at))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def secured(connection: socket.socket, host: str, deadline: float) -> ssl.SSLSocket:
    """The connection with TLS, to this host and nobody else. Raises OSError, having hung up."""
    try:
        connection.settimeout(left(deadline))
        return trusted().wrap_socket(connection, server_hostname=host)
    except OSError:
        connection.close()
        raise


@cache
def trusted() -> ssl.SSLContext:
    """Trusts what the system trusts, and Mozilla's list where the system has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def left(deadline: float) -> float:
    """Seconds until then, more than nothing. Raises TimeoutError."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _resolve(host: str, port: int, deadline: float) -> list[tuple[socket.AddressFamily, Any]]:
    """The host's addresses. In a thread of its own: the system's look-up knows no deadline."""
    found: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, found), daemon=True).start()
    try:
        result = found.get(timeout=left(deadline))
    except queue.Empty as error:
        raise OutboundError("dns") from error
    if isinstance(result, Exception):
        raise OutboundError("dns") from result
    return [(family, address) for family, _, _, _, address in result]


def _look_up(host: str, port: int, found: queue.SimpleQueue[list[Any] | Exception]) -> None:
    try:
        found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    except (OSError, UnicodeError) as error:
        found.put(error)


class Wire(io.RawIOBase):
    """A socket, as much of it as `http.client` uses, whose every step keeps the `deadline`."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self.deadline = deadline
        self.has_ended = False

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(left(self.deadline))
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(left(self.deadline))
        count = self._connection.recv_into(buffer)
        self.has_ended = count == 0
        return count

    def close(self) -> None:
        """Closing is `hang_up`: `http.client` closes before it has read the body."""

    def hang_up(self) -> None:
        self._connection.close()
