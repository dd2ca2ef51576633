"""An answer that is read as it comes, each step under a deadline that can be moved."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from app.core import http
from tests.core.test_http import answering, hang, listening


def test_a_stream_gives_what_has_come_as_it_comes() -> None:
    may_go_on = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n")
        connection.sendall(b"5\r\nfirst\r\n")
        may_go_on.wait(5)
        connection.sendall(b"6\r\nsecond\r\n0\r\n\r\n")

    with (
        listening(serve) as url,
        http.stream("GET", url, deadline=time.monotonic() + 5) as incoming,
    ):
        assert (incoming.status, incoming.headers["x-a"]) == (200, "b")
        assert incoming.next() == b"first"
        may_go_on.set()
        assert incoming.next() == b"second"
        assert incoming.next() == incoming.next() == b""


def test_the_deadline_of_a_stream_can_be_moved() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\none")
        time.sleep(0.6)
        connection.sendall(b"two")
        hang(connection)

    with (
        listening(serve) as url,
        http.stream("GET", url, deadline=time.monotonic() + 0.4) as incoming,
    ):
        assert incoming.next() == b"one"
        incoming.hold_until(time.monotonic() + 5)
        assert incoming.next() == b"two"
        incoming.hold_until(time.monotonic() + 0.1)
        with pytest.raises(http.OutboundError) as caught:
            incoming.next()
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize(
    "end",
    [b"Content-Length: 10\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n9\r\nhalf"],
    ids=["length", "chunk"],
)
def test_a_stream_that_is_cut_says_so(end: bytes) -> None:
    with (
        listening(answering(b"HTTP/1.1 200 OK\r\n" + end)) as url,
        http.stream("GET", url, deadline=time.monotonic() + 5) as incoming,
    ):
        assert incoming.next() == b"half"
        with pytest.raises(http.OutboundError) as caught:
            incoming.next()
    assert caught.value.kind == "closed"


def test_leaving_a_stream_hangs_up() -> None:
    has_gone = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
        hang(connection)
        has_gone.set()

    with listening(serve) as url:
        with http.stream("GET", url, deadline=time.monotonic() + 5) as incoming:
            assert incoming.next() == b"hello"
            assert not has_gone.is_set()
        assert has_gone.wait(60)


def test_an_error_of_the_reader_stays_what_it_is() -> None:
    with (
        listening(answering(b"HTTP/1.1 200 OK\r\n\r\nhello")) as url,
        pytest.raises(TimeoutError, match="the reader's own"),
        http.stream("GET", url, deadline=time.monotonic() + 5),
    ):
        raise TimeoutError("the reader's own")
