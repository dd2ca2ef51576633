"""Outbound HTTP on raw sockets: what comes back, and how long it may take."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from app.core import http

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[str]:
    """A server that gives its first connection to `serve`, after it has read the request."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = server.accept()
        with connection:
            _read_request(connection)
            with suppress(OSError):  # the client has gone
                serve(connection)

    thread = threading.Thread(target=run)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    thread.join()
    server.close()


def _read_request(connection: socket.socket) -> bytes:
    """All of it, but for a body longer than a test's own."""
    request = connection.recv(65536)
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d{1,4})\r", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(answer: bytes) -> Serve:
    return lambda connection: connection.sendall(answer)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", b"hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_whole_answers(answer: bytes, body: bytes) -> None:
    with listening(answering(answer)) as url:
        assert http.send("POST", url, body=b"{}").body == body


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "closed"),
        (b"HTTP/1.1 2", "garbage"),
        (b"HTTP/1.1 200 OK\r\n", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "closed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "closed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf", "closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "garbage"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "garbage"),
        (b"\x00" * 70_000, "garbage"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "garbage"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", "garbage"),
    ],
)
def test_broken_answers(answer: bytes, kind: str) -> None:
    with listening(answering(answer)) as url, pytest.raises(http.OutboundError) as caught:
        http.send("POST", url, body=b"{}")
    assert caught.value.kind == kind


def hang(connection: socket.socket) -> None:
    while connection.recv(65536):  # until the client goes
        pass


def _drip(start: bytes) -> Serve:
    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(100):
            connection.sendall(b"a")
            time.sleep(0.05)

    return drip


@pytest.mark.parametrize(
    "serve",
    [
        hang,
        _drip(b"HT"),
        _drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        _drip(b"HTTP/1.1 200 OK\r\n\r\n"),
        _drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n"),
    ],
    ids=["hang", "drip status", "drip headers", "drip body", "drip chunk"],
)
def test_no_server_keeps_us_longer_than_the_total(serve: Serve) -> None:
    with listening(serve) as url:
        begun = time.monotonic()
        with pytest.raises(http.OutboundError) as caught:
            http.send("POST", url, body=b"{}", total_seconds=0.5)
        assert caught.value.kind == "timeout"
        assert 0.4 < time.monotonic() - begun < 1


def test_a_server_that_does_not_read_keeps_us_no_longer() -> None:
    asleep = listening(lambda _connection: time.sleep(1))
    with asleep as url, pytest.raises(http.OutboundError) as caught:
        http.send("POST", url, body=b"a" * 50_000_000, total_seconds=0.5)
    assert caught.value.kind == "timeout"


def test_a_name_server_that_does_not_answer_keeps_us_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: time.sleep(1) or [])
    begun = time.monotonic()
    with pytest.raises(http.OutboundError) as caught:
        http.send("POST", "http://slow.example", connect_seconds=0.3)
    assert caught.value.kind == "dns"
    assert time.monotonic() - begun < 0.6


def test_no_more_than_allowed_is_read() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"a" * 65536)

    with listening(endless) as url:
        assert len(http.send("GET", url, most_bytes=1000).body) == 1000


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("", "address"),
        ("ftp://127.0.0.1", "address"),
        ("http://", "address"),
        ("http://127.0.0.1:99999", "address"),
        ("http://[::1", "address"),
        ("http://" + "a" * 70 + ".example", "address"),
        ("http://nowhere.invalid", "dns"),
        ("http://127.0.0.1:1", "refused"),
    ],
)
def test_addresses_that_lead_nowhere(url: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "dns":

        def unknown(*_arguments: object, **_options: object) -> None:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(http.OutboundError) as caught:
        http.send("GET", url)
    assert caught.value.kind == kind


def test_a_server_without_tls_is_told_apart() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=run)
    thread.start()
    with pytest.raises(http.OutboundError) as caught:
        http.send("GET", f"https://127.0.0.1:{server.getsockname()[1]}")
    thread.join()
    server.close()
    assert caught.value.kind == "tls"


def test_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server = socket.create_server(("127.0.0.1", 0))
    received = []

    def run() -> None:
        connection, _ = server.accept()
        with connection:
            received.append(_read_request(connection))
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=run)
    thread.start()
    port = server.getsockname()[1]
    url = f"http://user:p%40ss@127.0.0.1:{port}/wébhook/a b?q=é&x=%2F#fragment"
    answer = http.send("POST", url, body="é".encode(), headers={"X-Own": "1"})
    thread.join()
    server.close()

    head, _, body = received[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /w%C3%A9bhook/a%20b?q=%C3%A9&x=%2F HTTP/1.1"
    assert f"Host: 127.0.0.1:{port}" in lines
    assert "Authorization: Basic dXNlcjpwQHNz" in lines
    assert "X-Own: 1" in lines
    assert "Content-Length: 2" in lines
    assert body == "é".encode()
    assert answer.headers["x-a"] == "b"


def test_an_address_that_says_nothing_leaves_the_next_one_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(3)]
    for each in waiting:  # from the second on, nobody answers there any more
        each.setblocking(False)
        with suppress(BlockingIOError):
            each.connect(full.getsockname())
    second = socket.create_server(("127.0.0.1", 0))
    addresses = [full.getsockname(), second.getsockname()]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: found)
    connection = http.connect("two.example", 80, time.monotonic() + 2)
    assert connection.getpeername() == second.getsockname()
    for each in [connection, *waiting, second, full]:
        each.close()
