"""Outbound HTTP with hard limits: one request, one answer, no redirects, no proxies.

Common clients limit the wait for each read, so a server that sends a byte now and then holds them
for ever. Here every step (name, connection, TLS, headers, body) shares one deadline.
"""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from app.core.connection import (
    ErrorKind,
    MayReach,
    OutboundError,
    Wire,
    connect,
    secured,
    trusted,
)
from app.core.hostnames import ascii_host

__all__ = [
    "Answer",
    "ErrorKind",
    "Incoming",
    "MayReach",
    "OutboundError",
    "connect",
    "send",
    "stream",
    "trusted",
]

CHUNK_BYTES = 8192
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


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
    may_reach: MayReach | None = None,
) -> Answer:
    """One request; the answer of whatever status. Raises OutboundError when none came whole.

    `connect_seconds` covers name, connection and TLS, `total_seconds` everything. What follows
    the first `most_bytes` of the answer is not read. `may_reach`: as `connection.connect` asks it.
    """
    with stream(
        method,
        url,
        body=body,
        headers=headers,
        connect_seconds=connect_seconds,
        deadline=time.monotonic() + total_seconds,
        may_reach=may_reach,
    ) as incoming:
        read = bytearray()
        while len(read) < most_bytes and (chunk := incoming.next(most_bytes - len(read))):
            read += chunk
        return Answer(incoming.status, incoming.headers, bytes(read))


class Incoming:
    """An answer as it comes. Header names are in lower case."""

    def __init__(self, wire: Wire, response: http.client.HTTPResponse) -> None:
        self._wire = wire
        self._response = response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    def hold_until(self, deadline: float) -> None:
        """What comes from now on must have come by then (`time.monotonic()`)."""
        self._wire.deadline = deadline

    def next(self, most_bytes: int = CHUNK_BYTES) -> bytes:
        """What has come of the body since, once something has; at the end: nothing.

        Raises OutboundError: `timeout`, `closed` before the promised end, `garbage`.
        """
        with _as_outbound_error():
            chunk = self._response.read1(min(CHUNK_BYTES, most_bytes))
            if not chunk and self._response.length:  # read1 does not notice what never came
                raise http.client.IncompleteRead(b"", self._response.length)
            return chunk


@contextmanager
def stream(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    connect_seconds: float = 5.0,
    deadline: float,
    may_reach: MayReach | None = None,
) -> Iterator[Incoming]:
    """One request; its answer from the end of the headers on. Leaving hangs up.

    `deadline`: of `time.monotonic()`, for everything; the Incoming can move it. Raises
    OutboundError.
    """
    parts, host, port = _address(url)
    wire = _connected(parts.scheme, host, port, connect_seconds, deadline, may_reach)
    try:
        with _as_outbound_error():
            response = _request(
                wire, method, parts, {**_own_headers(parts), **(headers or {})}, body
            )
        with response:
            yield Incoming(wire, response)
    finally:
        wire.hang_up()


def _address(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = ascii_host(parts.hostname or "")
    except ValueError as error:
        raise OutboundError("address") from error
    if parts.scheme not in ("http", "https"):
        raise OutboundError("address")
    return parts, host, port


def _connected(
    scheme: str,
    host: str,
    port: int,
    connect_seconds: float,
    deadline: float,
    may_reach: MayReach | None,
) -> Wire:
    connect_by = min(deadline, time.monotonic() + connect_seconds)
    try:
        connection = connect(host, port, connect_by, may_reach)
        if scheme == "https":
            connection = secured(connection, host, connect_by)
    except ssl.SSLError as error:
        raise OutboundError("tls") from error
    except TimeoutError as error:
        raise OutboundError("timeout") from error
    except ConnectionRefusedError as error:
        raise OutboundError("refused") from error
    except OSError as error:
        raise OutboundError("unreachable") from error
    return Wire(connection, deadline)


@contextmanager
def _as_outbound_error() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise OutboundError("timeout") from error
    except (OSError, http.client.IncompleteRead) as error:
        raise OutboundError("closed") from error
    except http.client.InvalidURL as error:
        raise OutboundError("address") from error
    except http.client.HTTPException as error:
        raise OutboundError("garbage") from error


def _own_headers(parts: SplitResult) -> dict[str, str]:
    host = ascii_host(parts.hostname or "")
    port = f":{parts.port}" if parts.port else ""
    headers = {"Host": (f"[{host}]" if ":" in host else host) + port}
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _request(
    wire: Wire,
    method: str,
    parts: SplitResult,
    headers: Mapping[str, str],
    body: bytes | None,
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("unused")
    connection.sock = wire
    target = quote(parts.path or "/", safe=_URL_CHARACTERS)
    if parts.query:
        target += "?" + quote(parts.query, safe=_URL_CHARACTERS)
    connection.request(method, target, body, dict(headers))
    response = connection.getresponse()
    if wire.has_ended:  # `http.client` takes an end among the headers for their end
        raise http.client.IncompleteRead(b"")
    return response
