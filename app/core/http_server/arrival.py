"""Tell when an HTTP/1 request has arrived whole, so that no thread waits for a slow client.

gunicorn parses the request and decides what it means. This module only finds where it ends
(RFC 9112, sections 2 and 6), and the bytes are handed over unchanged: a request it misreads is at
worst handed over too early, or closed at its deadline.
"""

from __future__ import annotations

from enum import Enum, auto

LARGEST_HEAD_BYTES = 64 * 1024
#: gunicorn's own limit for the line before a chunk.
_LARGEST_CHUNK_LINE_BYTES = 8190
#: Of a length, decimal or hexadecimal: no body is that long.
_MOST_DIGITS = 15


class Stage(Enum):
    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    WHOLE = auto()
    TOO_LARGE_HEAD = auto()
    TOO_LARGE_BODY = auto()


class Arrival:
    """How much of one request has arrived.

    `expects_continue`: the client waits for `100 Continue` before it sends the body.
    """

    def __init__(self, largest_body_bytes: int) -> None:
        self.stage = Stage.IDLE
        self.expects_continue = False
        self._largest_body_bytes = largest_body_bytes
        self._body_at = 0
        self._is_chunked = False
        #: Where to go on looking: in the head for its end, in a chunked body for a line's end.
        self._searched = 0
        #: Where the body, or its present chunk, ends or begins.
        self._next_at = 0

    def advance(self, received: bytes | bytearray) -> Stage:
        """The stage once these bytes, which begin with those of the last call, have arrived."""
        if self.stage in (Stage.IDLE, Stage.HEAD):
            self.stage = self._read_head(received) if received else Stage.IDLE
        if self.stage is Stage.BODY:
            self.stage = self._read_body(received)
        return self.stage

    def _read_head(self, received: bytes | bytearray) -> Stage:
        # One empty line before the request is allowed, and is not the end of a head.
        first = 2 if received.startswith(b"\r\n") else 0
        end = received.find(b"\r\n\r\n", max(first, self._searched))
        if end < 0:
            self._searched = max(first, len(received) - 3)
            return Stage.HEAD if len(received) <= LARGEST_HEAD_BYTES else Stage.TOO_LARGE_HEAD
        if end > LARGEST_HEAD_BYTES:
            return Stage.TOO_LARGE_HEAD
        self._body_at = self._next_at = self._searched = end + 4
        return self._read_framing(bytes(received[first:end]))

    def _read_framing(self, head: bytes) -> Stage:
        """Whether a body follows. gunicorn refuses a contradictory head without reading on."""
        lengths, codings, expects_continue = [], [], False
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            name, value = name.strip().lower(), value.strip().lower()
            if name == b"content-length":
                lengths.append(value)
            elif name == b"transfer-encoding":
                codings.append(value)
            elif name == b"expect":
                expects_continue = value == b"100-continue"
        if codings:
            self._is_chunked = codings == [b"chunked"] and not lengths
            self.expects_continue = expects_continue and self._is_chunked
            return Stage.BODY if self._is_chunked else Stage.WHOLE
        if len(lengths) != 1 or not lengths[0].isdigit() or len(lengths[0]) > _MOST_DIGITS:
            return (
                Stage.WHOLE
                if not lengths or len(lengths[0]) <= _MOST_DIGITS
                else Stage.TOO_LARGE_BODY
            )
        if int(lengths[0]) > self._largest_body_bytes:
            return Stage.TOO_LARGE_BODY
        self._next_at += int(lengths[0])
        self.expects_continue = expects_continue and int(lengths[0]) > 0
        return Stage.BODY

    def _read_body(self, received: bytes | bytearray) -> Stage:
        if not self._is_chunked:
            return Stage.WHOLE if len(received) >= self._next_at else Stage.BODY
        if self._has_last_chunk(received):
            return Stage.WHOLE
        is_too_large = len(received) - self._body_at > self._largest_body_bytes
        return Stage.TOO_LARGE_BODY if is_too_large else Stage.BODY

    def _has_last_chunk(self, received: bytes | bytearray) -> bool:
        """Also true for what is no chunk: gunicorn refuses it."""
        while self._next_at <= len(received):
            end = received.find(b"\r\n", max(self._next_at, self._searched))
            if end < 0:
                self._searched = max(self._next_at, len(received) - 1)
                return len(received) - self._next_at > _LARGEST_CHUNK_LINE_BYTES
            size = _chunk_size(bytes(received[self._next_at : end]))
            if size is None:
                return True
            if size == 0:  # then come trailers, if any, and an empty line
                self._searched = end
                return received.find(b"\r\n\r\n", end) >= 0
            self._next_at = self._searched = end + 2 + size + 2
        return False


def _chunk_size(line: bytes) -> int | None:
    """The length that the line before a chunk gives, in hexadecimal; None when it gives none."""
    digits = line.partition(b";")[0].rstrip(b" \t")
    if not 0 < len(digits) <= _MOST_DIGITS or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)
