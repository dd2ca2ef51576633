"""No request is larger than 1 MB, whatever it says of itself and whoever reads it."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from app.web.body import LARGEST_OF_ANY_ROUTE_BYTES
from tests.web.every_route import every_request

MEGABYTE = 1024 * 1024
FORM = "application/x-www-form-urlencoded"
#: The only two that take more.
LARGER = {"api.add_messages": 12 * MEGABYTE, "api.report_error": 2 * MEGABYTE}


class Endless(io.RawIOBase):
    """A body without end; it knows how much of it was read."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.taken += len(buffer)
        buffer[:] = b"a" * len(buffer)
        return len(buffer)


def chunked(
    client: FlaskClient, method: str, path: str, kind: str, body: Endless, start: bytes = b""
) -> int:
    """Send it as gunicorn hands over a chunked body: without a length, but with an end."""
    environ = {
        "wsgi.input": Beginning(start, body) if start else body,
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    return client.open(
        path, method=method, content_type=kind, environ_overrides=environ
    ).status_code


class Beginning(io.RawIOBase):
    def __init__(self, start: bytes, rest: Endless) -> None:
        self._start, self._rest = io.BytesIO(start), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._start.readinto(buffer) or self._rest.readinto(buffer)


def test_every_route_refuses_what_says_it_is_too_large(app: Flask, client: FlaskClient) -> None:
    answers = {}
    for method, path, endpoint in every_request(app):
        largest = LARGER.get(endpoint, MEGABYTE)
        body = Endless()
        response = client.open(
            path,
            method=method,
            content_type=FORM,
            environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(largest + 1)},
        )
        assert body.taken == 0, (method, path)
        answers[method, path] = response.status_code
        if path.startswith("/api/"):
            assert response.mimetype == "application/problem+json"
            assert response.json["detail"] == "This is too large. Please send less."
    assert set(answers.values()) == {413}


def test_only_two_routes_take_more(app: Flask) -> None:
    larger = {
        endpoint: view.largest_bytes  # type: ignore[attr-defined]
        for endpoint, view in app.view_functions.items()
        if hasattr(view, "largest_bytes")
    }
    assert larger == LARGER
    assert max(larger.values()) == LARGEST_OF_ANY_ROUTE_BYTES


@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=b", "application/json"])
def test_a_body_that_does_not_say_how_large_it_is_is_cut_off(
    app: Flask, client: FlaskClient, kind: str
) -> None:
    for method, path, endpoint in every_request(app):
        body = Endless()
        assert chunked(client, method, path, kind, body) < 500, (method, path)
        assert body.taken <= LARGER.get(endpoint, MEGABYTE) + 200_000, (method, path)


@pytest.mark.parametrize(
    ("path", "kind", "start"),
    [
        ("/login", FORM, b"email="),
        ("/login", "multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: x; name="a"'),
        ("/widget/demo/sessions", "application/json", b'{"page":"'),
        ("/api/v1/auth/token", "application/json", b'{"email":"'),
        ("/widget/demo/sessions", "application/json", b"{}" + b" " * 70_000),
    ],
)
def test_the_beginning_of_a_body_is_not_taken_for_the_whole(
    client: FlaskClient, path: str, kind: str, start: bytes
) -> None:
    assert chunked(client, "POST", path, kind, Endless(), start) == 413


def test_a_page_says_so_in_plain_words(client: FlaskClient) -> None:
    page = client.post("/login", data={"email": "a" * 2 * MEGABYTE})
    assert page.status_code == 413
    assert page.mimetype == "text/html"
    assert "This is too large. Please send less." in page.text


PART = b'--b\r\nContent-Disposition: form-data; name="%d"; filename="f"\r\n\r\n'


def test_an_upload_without_end_leaves_nothing_on_the_disk(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = 0

    class Watched(Endless):
        def readinto(self, buffer: Any) -> int:
            nonlocal largest
            largest = max(largest, *(file.stat().st_size for file in opened), 0)
            return super().readinto(buffer)

    # The files are unlinked as soon as they are opened: they are seen through /proc alone.
    opened = _OpenFilesBelow(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kind = "multipart/form-data; boundary=b"
    body = Watched()
    assert chunked(client, "POST", "/login", kind, body, PART % 0) == 413
    assert body.taken <= MEGABYTE + 200_000
    assert largest == 0


class _OpenFilesBelow:
    """What this process has open below a folder, whether or not it still has a name."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def __iter__(self) -> Any:
        for link in Path("/proc/self/fd").glob("*"):
            try:
                if str(link.readlink()).startswith(self._folder):
                    yield link
            except OSError:
                continue


def test_thousands_of_parts_are_refused(client: FlaskClient) -> None:
    parts = b"".join(PART % number + b"x\r\n" for number in range(5000)) + b"--b--\r\n"
    response = client.post("/login", data=parts, content_type="multipart/form-data; boundary=b")
    assert response.status_code == 413


def test_a_packed_body_is_not_unpacked(client: FlaskClient) -> None:
    bomb = gzip.compress(b'{"email":"' + b"a" * 10 * MEGABYTE + b'"}')
    response = client.post(
        "/api/v1/auth/token",
        data=bomb,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    assert response.status_code in (400, 404)


def test_a_form_of_nearly_a_megabyte_still_arrives(app: Flask) -> None:
    with app.test_request_context("/login", method="POST", data={"a": "a" * 1_000_000}):
        assert len(request.form["a"]) == 1_000_000
