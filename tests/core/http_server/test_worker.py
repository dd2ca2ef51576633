"""Slow, idle, silent and greedy clients against the real gunicorn: they keep nobody else out.

The server has two threads, so two requests that hold one are enough to stop it.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.http_server.served import (
    GET,
    HALF_HEAD,
    PATIENCE_SECONDS,
    Server,
    answer,
    is_closed,
    serving,
)

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEVER = 1000
OK = "200 OK: GET / 0 b''"

#: What each of these clients has sent when it falls silent.
UNFINISHED = {
    "half a head": HALF_HEAD,
    "nothing": b"",
    "half a body": POST + b"Content-Length: 10\r\n\r\nhello",
    "half a chunk": CHUNKED + b"A\r\nhello",
    "half a second request": GET + HALF_HEAD,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_six_hundred_unfinished_requests_keep_nobody_waiting(tmp_path: Path, sent: bytes) -> None:
    never = f"worker.HEAD_SECONDS = worker.BODY_SECONDS = {NEVER}"
    with serving(tmp_path, never, files=256) as server:
        slow = [server.connect(sent) for _ in range(600)]
        assert [server.ask() for _ in range(20)] == [OK] * 20
        for client in slow:
            if sent.startswith(GET):
                assert answer(client) == OK
            assert not select.select([client], [], [], 0)[0]


ENDLESS = {
    "a head": HALF_HEAD,
    "a body": POST + b"Content-Length: 1000000\r\n\r\n",
    "a chunk": CHUNKED + b"F4240\r\n",
}


@pytest.mark.parametrize("sent", ENDLESS.values(), ids=ENDLESS)
def test_who_sends_byte_after_byte_is_told_that_it_is_late(tmp_path: Path, sent: bytes) -> None:
    with serving(tmp_path, "worker.HEAD_SECONDS = worker.BODY_SECONDS = 1") as server:
        client = server.connect(sent)
        # A byte is sent each time nothing has come for a moment; only the deadline ends it.
        while not select.select([client], [], [], 0.01)[0]:
            client.sendall(b"x")
        assert answer(client).startswith("408 Request Timeout: {")
        assert is_closed(client)


def test_a_connection_that_says_nothing_is_closed_without_a_word(tmp_path: Path) -> None:
    with serving(tmp_path, "worker.HEAD_SECONDS = keepalive = 1") as server:
        assert is_closed(server.connect())
        client = server.connect(GET)
        assert answer(client) == OK
        assert is_closed(client)


def test_requests_in_one_piece_are_answered_in_their_order(server: Server) -> None:
    post = POST + b"Content-Length: 5\r\n\r\nhello"
    chunks = CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    client = server.connect(post + GET + chunks + b"\r\n" + post[:-3])
    answers = [answer(client) for _ in range(3)]
    client.sendall(post[-3:] + GET)
    answers += [answer(client), answer(client)]
    hello, abc = "200 OK: POST / 5 b'hello'", "200 OK: POST / 5 b'abcde'"
    assert answers == [hello, OK, abc, hello, OK]


@pytest.mark.parametrize("path", [b"/", b"/unread"])
@pytest.mark.parametrize("size", [5, 60_000, 900_000])
def test_a_body_is_the_same_in_one_piece_and_in_chunks(
    server: Server, path: bytes, size: int
) -> None:
    post = b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n"
    whole = post + f"Content-Length: {size}\r\n\r\n".encode() + b"x" * size
    chunks = [b"%X\r\n%b\r\n" % (n, b"x" * n) for n in (1, size // 2, size - 1 - size // 2)]
    chunked = post + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + b"0\r\n\r\n"
    assert server.ask(whole) == server.ask(chunked) != ""


def test_a_thousand_tiny_chunks_cost_no_more_than_their_bytes(server: Server) -> None:
    chunks = b"1\r\nx\r\n" * 150_000
    assert server.ask(CHUNKED + chunks + b"0\r\n\r\n").startswith("200 OK: POST / 150000 ")


def test_who_asks_first_is_told_once_to_go_on(server: Server) -> None:
    client = server.connect(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert answer(client) == "100 Continue: "
    client.sendall(b"hello")
    assert answer(client) == "200 OK: POST / 5 b'hello'"


def test_a_body_beyond_every_limit_is_answered_without_it(server: Server) -> None:
    too_large = b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    client = server.connect(b"POST /unread HTTP/1.1\r\nHost: a\r\n" + too_large)
    assert answer(client) == "200 OK: POST /unread 0 b''"
    assert is_closed(client)


def test_a_head_without_end_is_refused(server: Server) -> None:
    client = server.connect(HALF_HEAD + b"x" * 70_000)
    assert answer(client).startswith("431 Request Header Fields Too Large: {")


def test_idle_connections_make_room_for_new_ones(tmp_path: Path) -> None:
    with serving(tmp_path, f"worker_connections = 100; keepalive = {NEVER}") as server:
        idle = [server.connect(GET) for _ in range(150)]
        assert all(answer(client) == OK for client in idle)
        assert server.ask() == OK
        assert is_closed(idle[0])
        assert not select.select([idle[-1]], [], [], 0)[0]


def test_an_address_has_its_share_of_connections_where_there_is_no_proxy(tmp_path: Path) -> None:
    settings = ("worker.Worker.most_per_address = 5", f"keepalive = {NEVER}")
    with serving(tmp_path, *settings) as server:
        idle = []
        for _ in range(8):
            idle.append(server.connect(GET))
            assert answer(idle[-1]) == OK
        assert all(is_closed(client) for client in idle[:3])
        assert not select.select(idle[3:], [], [], 0)[0]


def test_large_bodies_share_their_room(tmp_path: Path) -> None:
    begun = POST + b"Content-Length: 300000\r\n\r\n" + b"x" * 200_000
    with serving(tmp_path, "worker.LARGE_ROOM_BYTES = 350_000") as server:
        first, small, second = map(server.connect, (begun, HALF_HEAD, begun))
        refused, _, _ = select.select([first, second], [], [], PATIENCE_SECONDS)
        assert answer(refused[0]).startswith("503 Service Unavailable: {")
        (other,) = {first, second} - set(refused)
        other.sendall(b"x" * 100_000)
        assert answer(other).startswith("200 OK: POST / 300000 ")
        small.sendall(b"\r\n\r\n")
        assert answer(small) == OK
        # What was answered or refused has left its room to others.
        for _ in range(5):
            other.sendall(begun + b"x" * 100_000)
            assert answer(other).startswith("200 OK: POST / 300000 ")


def test_who_does_not_read_gives_the_thread_back(tmp_path: Path) -> None:
    large = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
    with serving(tmp_path, "connection.READER_SECONDS = 0.5") as server:
        for _ in range(4):
            server.connect(large, reads_little=True)
        assert server.ask() == OK


def test_those_that_do_not_read_never_hold_every_thread(tmp_path: Path) -> None:
    large = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
    settings = (
        f"connection.READER_SECONDS = {NEVER}",
        "connection._patience = __import__('threading').BoundedSemaphore(1)",
    )
    with serving(tmp_path, *settings) as server:
        for _ in range(4):
            server.connect(large, reads_little=True)
        assert server.ask() == OK


def test_who_reads_slowly_but_steadily_gets_the_whole(server: Server) -> None:
    client = server.connect(b"GET /large HTTP/1.0\r\n\r\n")
    while client.recv(1_000_000):
        pass
    assert server.ask() == OK


def test_who_does_not_close_holds_nothing_up(tmp_path: Path) -> None:
    with serving(tmp_path, f"worker.CLOSING_SECONDS = {NEVER}") as server:
        open_ended = [server.connect(GET[:-2] + b"Connection: close\r\n\r\n") for _ in range(20)]
        assert all(answer(client) == OK for client in open_ended)
        assert server.ask() == OK


def test_unfinished_requests_do_not_hold_up_the_end(tmp_path: Path) -> None:
    never = f"worker.HEAD_SECONDS = worker.BODY_SECONDS = keepalive = {NEVER}"
    with serving(tmp_path, never, "graceful_timeout = 1000") as server:
        clients = [server.connect(sent) for sent in UNFINISHED.values()]
        assert answer(clients[-1]) == OK
        server.process.terminate()
        assert server.process.wait(PATIENCE_SECONDS) == 0


def test_tls_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with serving(tmp_path, "certfile = keyfile = __file__") as server:
        assert server.process.wait(PATIENCE_SECONDS) == 1
        assert server.process.stderr is not None
        assert "TLS is the work of a proxy" in server.process.stderr.read()
