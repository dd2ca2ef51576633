"""Resend's answers, as they come."""

from __future__ import annotations

import pytest

from app.core.http import Answer
from app.gateways.resend import Mailer, error_name, letter_id, wait_seconds
from tests.fakes.resend import KEY, running_resend

LETTER = {"to": ["ann@example.com"], "subject": "Grüße", "text": "Ja 😀", "html": "<p>Ja</p>"}


def test_one_key_sends_one_letter_however_often_it_is_posted() -> None:
    with running_resend() as resend:
        mailer = Mailer(resend.url, KEY, "5ive <chat@example.com>")
        first, again = mailer.post("key-1", LETTER), mailer.post("key-1", LETTER)
        other = mailer.post("key-1", {**LETTER, "subject": "Other"})

    [mail] = resend.mails
    assert mail.payload == {"from": "5ive <chat@example.com>", **LETTER}
    assert letter_id(first) == letter_id(again) == mail.id
    assert (other.status, error_name(other)) == (409, "invalid_idempotent_request")
    assert KEY not in repr(mailer)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"name": 5}', b"[" * 100_000, b"\xff\xfe", b'"id"']
)
def test_what_is_not_from_resend_has_no_name(body: bytes) -> None:
    answer = Answer(502, {}, body)
    assert (error_name(answer), letter_id(answer)) == (None, None)


def test_the_wait_is_read_from_either_header() -> None:
    assert wait_seconds(Answer(429, {"retry-after": "3", "ratelimit-reset": "1"}, b"")) == "3"
    assert wait_seconds(Answer(429, {"ratelimit-reset": "1"}, b"")) == "1"
    assert wait_seconds(Answer(429, {}, b"")) is None
