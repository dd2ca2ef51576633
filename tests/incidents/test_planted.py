"""Planted secrets and contacts are found in every form n8n's errors carry them; what explains an
error is not taken for one.
"""

from __future__ import annotations

import json

import pytest

from app.incidents.alike import changeless
from app.incidents.redact import LONGEST_READ, redact
from tests.incidents.planted import HARMLESS, PLANTED, nested


@pytest.mark.parametrize(("text", "gone"), PLANTED, ids=[text[:40] for text, _ in PLANTED])
def test_what_is_planted_is_gone(text: str, gone: list[str]) -> None:
    assert all(part in text for part in gone)
    assert [part for part in gone if part in redact(text)] == []
    for where, whole in nested(text):
        shown = redact(whole, LONGEST_READ)
        escaped = [json.dumps(part, ensure_ascii=False)[1:-1] for part in gone]
        assert [part for part in (*gone, *escaped) if part in shown] == [], where


@pytest.mark.parametrize("text", HARMLESS)
def test_what_explains_an_error_survives(text: str) -> None:
    assert redact(text) == text


def test_an_explanation_around_a_secret_survives() -> None:
    assert redact("400: password 'hunter2' is wrong, try again") == (
        "400: password [secret] is wrong, try again"
    )
    assert redact("POST https://hooks.slack.com/services/T0/B1/x1y2z3 gave 404") == (
        "POST https://hooks.slack.com/[secret] gave 404"
    )
    assert redact("Could not write to ann(at)example.com: mailbox full") == (
        "Could not write to [e-mail]: mailbox full"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("password 'hunter2' is wrong", "password 'sesame' is wrong"),
        ("Could not write to ann(at)example.com", "Could not write to bob@example.org"),
        ("POST https://hooks.slack.com/services/T0/B1/x1", "POST https://hooks.slack.com/services/T9/B8/z9"),
        ("AKIA" + "IOSFODNN7EXAMPLE refused", "AKIA" + "ABCDEFGH12345678 refused"),
        ("Dear Ann, it failed", "Dear Bob Smith, it failed"),
        ("refused by 203.0.113.77", "refused by 10.0.0.3"),
    ],
)  # fmt: skip
def test_errors_that_differ_in_a_secret_are_one_incident(one: str, other: str) -> None:
    assert changeless(one) == changeless(other)


def test_errors_that_say_something_else_are_two() -> None:
    assert len({changeless(text) for text in HARMLESS}) > len(HARMLESS) * 0.9
