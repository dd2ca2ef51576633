"""Outbound HTTP with hard limits: one request, one answer, no redirects, no proxies.

Common clients limit the wait for each read, so a server that sends a byte now and then holds them
for ever. Here every step (name, connection, TLS, headers, body) shares one deadline.
"""

from __future__ import annotations

import base64
import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit

import certifi

ErrorKind = Literal[
    "address", "dns", "refused", "unreachable", "tls", "timeout", "closed", "garbage"
]
CHUNK_BYTES = 8192
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


class OutboundError(Exception):
    """No whole answer came. `kind` is one short machine word."""

    def __init__(self, kind: ErrorKind) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are in lower case; `body` is at most as long as the caller allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    connect_seconds: float = 5.0,
    total_seconds: float = 20.0,
    most_bytes: int = 64 * 1024,
) -> Answer:
    """One request; the answer of whatever status. Raises OutboundError when none came whole.

    `connect_seconds` covers name, connection and TLS, `total_seconds` everything. What follows
    the first `most_bytes` of the answer is not read.
    """
    started = time.monotonic()
    parts, host, port = _address(url)
    try:
        stream = _Stream(
            _connect(parts.scheme, host, port, started + connect_seconds), started + total_seconds
        )
    except ssl.SSLError as error:
        raise OutboundError("tls") from error
    except TimeoutError as error:
        raise OutboundError("timeout") from error
    except ConnectionRefusedError as error:
        raise OutboundError("refused") from error
    except OSError as error:
        raise OutboundError("unreachable") from error
    try:
        return _exchange(
            stream, method, parts, {**_own_headers(parts), **(headers or {})}, body, most_bytes
        )
    except TimeoutError as error:
        raise OutboundError("timeout") from error
    except (OSError, http.client.IncompleteRead) as error:
        raise OutboundError("closed") from error
    except http.client.InvalidURL as error:
        raise OutboundError("address") from error
    except http.client.HTTPException as error:
        raise OutboundError("garbage") from error
    finally:
        stream.hang_up()


def _address(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # UnicodeError is one, too
        raise OutboundError("address") from error
    if parts.scheme not in ("http", "https") or not host:
        raise OutboundError("address")
    return parts, host, port


def _connect(scheme: str, host: str, port: int, deadline: float) -> socket.socket:
    """A connection to the first of the host's addresses that takes one."""
    failure: OSError = TimeoutError("no time left to connect")
    for family, address in _resolve(host, port, deadline):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(_left(deadline))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_left(deadline))
            if scheme == "https":
                connection = _tls().wrap_socket(connection, server_hostname=host)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _resolve(host: str, port: int, deadline: float) -> list[tuple[socket.AddressFamily, Any]]:
    """The host's addresses. In a thread of its own: the system's look-up knows no deadline."""
    found: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, found), daemon=True).start()
    try:
        result = found.get(timeout=_left(deadline))
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


@cache
def _tls() -> ssl.SSLContext:
    """Trusts what the system trusts, and Mozilla's list where the system has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _own_headers(parts: SplitResult) -> dict[str, str]:
    headers = {"Host": parts.netloc.rpartition("@")[2].encode("idna").decode()}
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _exchange(
    stream: _Stream,
    method: str,
    parts: SplitResult,
    headers: Mapping[str, str],
    body: bytes | None,
    most_bytes: int,
) -> Answer:
    connection = http.client.HTTPConnection("unused")
    connection.sock = stream
    target = quote(parts.path or "/", safe=_URL_CHARACTERS)
    if parts.query:
        target += "?" + quote(parts.query, safe=_URL_CHARACTERS)
    connection.request(method, target, body, dict(headers))
    with connection.getresponse() as response:
        if stream.has_ended:  # `http.client` takes an end among the headers for their end
            raise http.client.IncompleteRead(b"")
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            _read(response, most_bytes),
        )


def _read(response: http.client.HTTPResponse, most_bytes: int) -> bytes:
    read = bytearray()
    while len(read) < most_bytes:
        chunk = response.read(min(CHUNK_BYTES, most_bytes - len(read)))
        if not chunk:
            if response.length:  # read(n) does not notice that the promised rest never came
                raise http.client.IncompleteRead(bytes(read), response.length)
            break
        read += chunk
    return bytes(read)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Stream(io.RawIOBase):
    """A socket, as much of it as `http.client` uses, whose every step keeps the deadline."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self.has_ended = False

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(_left(self._deadline))
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._deadline))
        count = self._connection.recv_into(buffer)
        self.has_ended = count == 0
        return count

    def close(self) -> None:
        """Closing is `hang_up`: `http.client` closes before it has read the body."""

    def hang_up(self) -> None:
        self._connection.close()
