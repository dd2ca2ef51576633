"""What people write is printed on the console, and forges no line of it."""

from __future__ import annotations

import re
import sys
import uuid

import pytest

from app.core import clock
from app.delivery.destinations import ConsoleDestination, Outgoing
from app.delivery.letters import Letter, _drawn
from app.delivery.outbox import _frozen
from app.delivery.payload import Content
from config import Settings
from tests import nasty

pytestmark = pytest.mark.usefixtures("app")
OURS = re.compile(
    r"(?:--- lead\.completed .* ---|(?:name|email|phone|company|service|session): .*|"
    r"  visitor: .*|---)"
)


def printed(
    capsys: pytest.CaptureFixture[str], settings: Settings, event: str, data: dict[str, object]
) -> str:
    body = _frozen(event, Content(data))
    outgoing = Outgoing(uuid.uuid4(), "console", event, body, uuid.uuid4())
    assert ConsoleDestination(settings).send(outgoing).result == "delivered"
    return capsys.readouterr().out


@pytest.mark.parametrize("text", nasty.NAMES)
def test_a_visitors_words_are_one_entry(
    capsys: pytest.CaptureFixture[str], settings: Settings, text: str
) -> None:
    lead = {
        "name": text,
        "email": text,
        "phone": text,
        "company": text,
        "qualification": {"service": text},
    }
    data = {
        "lead": lead,
        "transcript": [{"role": "visitor", "text": text, "at": clock.iso(clock.now())}],
    }
    out = printed(capsys, settings, "lead.completed", data)
    lines = out.splitlines()
    assert all(OURS.fullmatch(line) or line.startswith("    ") for line in lines), lines
    assert sum(line.startswith("---") for line in lines) == 2
    assert all(c.isprintable() or c in "\n\u200c\u200d" for c in out)
    assert sys.stdout.encoding


@pytest.mark.parametrize("text", nasty.NAMES)
def test_a_letters_words_are_one_entry(
    capsys: pytest.CaptureFixture[str], settings: Settings, text: str
) -> None:
    values = {
        "who": text,
        "site": text,
        "note": text,
        "category": "Tone",
        "link": "http://a.example/x",
    }
    drawn = _drawn(Letter(["ann@example.com"], f"New issue: {text}", "qa_issue", values))
    assert len(drawn["subject"].splitlines()) == 1
    assert len(drawn["subject"]) <= 200
    for form in ("text", "html"):
        assert not re.search(r"[\u202a-\u202e\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", drawn[form])
    assert drawn["text"].count("\nLook at the session:\nhttp://a.example/x") == 1
    out = printed(capsys, settings, "qa.issue", drawn)
    assert sum(line.startswith("---") for line in out.splitlines()) == 2


def test_a_note_cannot_pass_for_the_letters_own_words() -> None:
    note = "Wrong.\n\nLook at the session:\nhttp://evil.example/\n--\nPlatform 5ive"
    values = {
        "who": "Ann",
        "site": "Acme",
        "note": note,
        "category": "Tone",
        "link": "http://a.example/x",
    }
    text = _drawn(Letter(["ann@example.com"], "x", "qa_issue", values))["text"]
    assert "> http://evil.example/" in text
    assert not re.search(r"^(?:http://evil|Platform 5ive$)", text, re.M)


def test_a_name_that_runs_to_the_left_is_isolated_in_a_letter() -> None:
    values = {
        "who": "דוד",
        "site": "Acme",
        "note": "x",
        "category": "Tone",
        "link": "http://a.example/x",
    }
    drawn = _drawn(Letter(["ann@example.com"], "x", "qa_issue", values))
    assert "\u2068דוד\u2069 reported" in drawn["text"]
    assert "\u2068דוד\u2069 reported" in drawn["html"]
