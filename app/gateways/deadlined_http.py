"""A transport for the HTTP client of the `openai` package that keeps one deadline for everything.

The client's own limits are per read: a server that sends a byte now and then holds it for ever.
Here every step (name, connection, TLS, request, headers, each read) ends at the deadline of the
`Allowance` that is in force in the calling thread.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from app.core.connection import OutboundError, connect, left, secured, trusted

CONNECT_SECONDS = 5.0


class TooBigError(Exception):
    """More bytes came than are allowed."""


@dataclass
class Allowance:
    """How long, as `time.monotonic()`, and how much may still be read. Both can be moved."""

    deadline: float
    bytes_left: int

    @contextlib.contextmanager
    def in_force(self) -> Iterator[None]:
        token = _allowance.set(self)
        try:
            yield
        finally:
            _allowance.reset(token)


_allowance: ContextVar[Allowance] = ContextVar("allowance")


class DeadlinedTransport(httpx2.BaseTransport):
    """For any number of threads; a connection for each request. Errors are those of `httpcore2`,
    never TimeoutError; more bytes than allowed: TooBigError.
    """

    def __init__(self) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=trusted(),
            max_connections=None,
            # A stream is hung up at its last event, which leaves nothing to use again.
            max_keepalive_connections=0,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, chunks: Any) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    def close(self) -> None:
        self._chunks.close()


class _Backend(httpcore2.NetworkBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        with _as(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            deadline = min(_allowance.get().deadline, time.monotonic() + CONNECT_SECONDS)
            return _Stream(connect(host, port, deadline))


class _Stream(httpcore2.NetworkStream):
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        allowance = _allowance.get()
        with _as(httpcore2.ReadTimeout, httpcore2.ReadError):
            self._connection.settimeout(left(allowance.deadline))
            data = self._connection.recv(max_bytes)
        allowance.bytes_left -= len(data)
        if allowance.bytes_left < 0:
            raise TooBigError
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _as(httpcore2.WriteTimeout, httpcore2.WriteError):
            self._connection.settimeout(left(_allowance.get().deadline))
            self._connection.sendall(buffer)

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """TLS to this host, by what we trust; `ssl_context` is that already."""
        assert server_hostname is not None
        with _as(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            return _Stream(secured(self._connection, server_hostname, _allowance.get().deadline))

    def get_extra_info(self, info: str) -> Any:
        return None


@contextlib.contextmanager
def _as(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late from error
    except (OSError, OutboundError) as error:
        raise failed from error
