"""Uploads far beyond what any page takes: with a length and without, as forms and as JSON."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import threading

from tests.proof.attacks.target import Target, new_address

AT_ONCE = 4
UPLOAD_BYTES = 30_000_000
PIECE = b"x" * 250_000
#: A pause after each upload, so that the attack is bounded by what it is and not by the machine.
PAUSE_SECONDS = 0.2

_PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
_MULTIPART = "multipart/form-data; boundary=b"
#: Path, content type, how it begins, whether it says its length.
UPLOADS = (
    ("/login", _MULTIPART, _PART, True),
    ("/login", _MULTIPART, _PART, False),
    ("/login", "application/x-www-form-urlencoded", b"email=", False),
    ("/widget/{site}/sessions", "application/json", b'{"page":"', False),
    ("/api/v1/messages", "application/json", b'{"channel":"', True),
    ("/there/is/nothing", _MULTIPART, _PART, False),
    ("/healthz", _MULTIPART, _PART, True),
)


def attack(target: Target, stop: threading.Event) -> None:
    uploads = itertools.cycle(UPLOADS)
    lock = threading.Lock()

    def upload() -> None:
        while not stop.is_set():
            with lock:
                path, kind, begin, has_length = next(uploads)
            status = _upload(target, stop, path.format(site=target.site), kind, begin, has_length)
            target.tally[f"upload to {path}: {status}"] += 1
            stop.wait(PAUSE_SECONDS)

    threads = [threading.Thread(target=upload, daemon=True) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _upload(
    target: Target, stop: threading.Event, path: str, kind: str, begin: bytes, has_length: bool
) -> str:
    framing = f"Content-Length: {UPLOAD_BYTES}" if has_length else "Transfer-Encoding: chunked"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {new_address()}\r\n"
        f"Content-Type: {kind}\r\n{framing}\r\n\r\n"
    )
    sent = 0
    with contextlib.closing(socket.socket()) as client:
        client.settimeout(5)
        try:
            client.connect(("127.0.0.1", target.port))
            client.sendall(head.encode() + _framed(begin, has_length))
            with contextlib.suppress(OSError):  # it may be refused before it is sent
                while sent < UPLOAD_BYTES - len(begin) - len(PIECE) and not stop.is_set():
                    client.sendall(_framed(PIECE, has_length))
                    sent += len(PIECE)
            answer = client.recv(64)
        except OSError as error:
            return type(error).__name__
        finally:
            target.tally["uploaded MB"] += sent // 1_000_000
    words = answer.split(b" ")
    is_status = len(words) > 1 and words[1].isdigit()
    return http.client.responses.get(int(words[1]), "?") if is_status else "closed"


def _framed(data: bytes, has_length: bool) -> bytes:
    return data if has_length else b"%X\r\n%b\r\n" % (len(data), data)
