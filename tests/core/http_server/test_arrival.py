"""Where a request ends is found in whatever pieces it comes, and where gunicorn ends it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from app.core.http_server.arrival import LARGEST_HEAD_BYTES, Arrival, Stage

LARGEST = 100_000
HEAD = b"POST /a HTTP/1.1\r\nHost: a\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = {
    "no body": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no fields": b"GET / HTTP/1.1\r\n\r\n",
    "an empty line first": b"\r\nGET / HTTP/1.1\r\n\r\n",
    "an empty body": HEAD + b"Content-Length: 0\r\n\r\n",
    "a body": HEAD + b"Content-Length: 11\r\n\r\nhello\r\n\r\nyo",
    "a length in capitals": HEAD + b"CONTENT-LENGTH:5\r\n\r\nhello",
    "chunks": CHUNKS + b"5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    "chunks that hold line ends": CHUNKS + b"8\r\n0\r\n\r\n\r\n0\r\n0\r\n\r\n",
    "no chunk": CHUNKS + b"0\r\n\r\n",
    "trailers": CHUNKS + b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 1000])
def test_a_request_is_whole_with_its_last_byte_and_not_before(
    request_bytes: bytes, piece_bytes: int
) -> None:
    arrival, received = Arrival(LARGEST), bytearray()
    for at in range(0, len(request_bytes), piece_bytes):
        stage = arrival.advance(received)
        assert stage not in (Stage.WHOLE, Stage.TOO_LARGE_HEAD, Stage.TOO_LARGE_BODY)
        received += request_bytes[at : at + piece_bytes]
    assert arrival.advance(received) is Stage.WHOLE


@pytest.mark.parametrize("request_bytes", WHOLE.values(), ids=WHOLE)
def test_gunicorn_reads_a_whole_request_to_its_end_without_asking_for_more(
    request_bytes: bytes,
) -> None:
    def source() -> Any:
        yield request_bytes + b"GET /next HTTP/1.1\r\n\r\n"
        raise AssertionError("gunicorn waited for more")

    parser = RequestParser(Config(), source(), ("127.0.0.1", 1))
    next(parser).body.read()
    assert next(parser).path == "/next"


BROKEN = {
    "a chunk of no size": CHUNKS + b"zz\r\n",
    "a negative chunk": CHUNKS + b"-5\r\nhello\r\n",
    "a line before a chunk without end": CHUNKS + b"1" * 9000,
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length that is none": HEAD + b"Content-Length: +5\r\n\r\n",
    "length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "another coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    "chunks within chunks": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", BROKEN.values(), ids=BROKEN)
def test_what_gunicorn_refuses_is_handed_over_at_once(request_bytes: bytes) -> None:
    assert Arrival(LARGEST).advance(request_bytes) is Stage.WHOLE
    parser = RequestParser(Config(), io.BytesIO(request_bytes), ("127.0.0.1", 1))
    with pytest.raises(Exception):  # noqa: B017, PT011 - gunicorn has one class for each
        next(parser).body.read()


def test_a_head_may_not_grow_for_ever() -> None:
    endless = b"GET / HTTP/1.1\r\nX: " + b"x" * LARGEST_HEAD_BYTES
    assert Arrival(LARGEST).advance(endless) is Stage.TOO_LARGE_HEAD
    assert Arrival(LARGEST).advance(endless + b"\r\n\r\n") is Stage.TOO_LARGE_HEAD


def test_a_body_that_says_it_is_too_large_is_not_waited_for() -> None:
    for length in (b"100001", b"9" * 15, b"9" * 400):
        head = HEAD + b"Content-Length: " + length + b"\r\n\r\n"
        assert Arrival(LARGEST).advance(head) is Stage.TOO_LARGE_BODY


def test_chunks_without_end_are_cut_off() -> None:
    arrival, received = Arrival(LARGEST), bytearray(CHUNKS)
    while len(received) - len(CHUNKS) <= LARGEST:
        assert arrival.advance(received) is Stage.BODY
        received += b"400\r\n" + b"x" * 1024 + b"\r\n"
    assert arrival.advance(received) is Stage.TOO_LARGE_BODY


def test_only_who_has_a_body_to_send_is_told_to_go_on() -> None:
    expecting = HEAD + b"Expect: 100-continue\r\nContent-Length: "
    arrival = Arrival(LARGEST)
    assert arrival.advance(expecting + b"5\r\n\r\n") is Stage.BODY
    assert arrival.expects_continue
    for length in (b"0", b"999999999"):
        arrival = Arrival(LARGEST)
        arrival.advance(expecting + length + b"\r\n\r\n")
        assert not arrival.expects_continue
