"""Letters: e-mails to users of the dashboard. They go through the same outbox as leads (rule 2).

A letter is drawn once, when it is enqueued, and its bytes stay: a repeat is the same letter.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy.orm import Session

from app.core.safe_text import isolated, one_line, printable
from app.delivery import outbox, sealed
from app.delivery.payload import Content
from app.delivery.settings import current
from app.gateways.resend import MOST_RECIPIENTS

LONGEST_SUBJECT = 200
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parents[2] / "templates" / "emails"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """`template`: the name of `templates/emails/<template>.txt` and `.html`; `values`: what they
    say, besides `public_url`, `subject`. `link` among them is the letter's one button.
    """

    to: Sequence[str]
    subject: str
    template: str
    values: Mapping[str, Any]


def enqueue(
    session: Session, event: str, letter: Letter, *, session_id: uuid.UUID | None = None
) -> uuid.UUID:
    """Have the letter sent once the caller's transaction has committed. Gives the delivery's id.

    `event`: one of `models.delivery.LETTER_EVENTS`; what those of `sealed.SEALED_EVENTS` say is
    stored sealed. `session_id`: which session it is about. Each of `to` sees the others; of more
    than 50, only the first 50 are written to.
    """
    data = _drawn(letter)
    if event in sealed.SEALED_EVENTS:
        data = sealed.seal(data)
    return outbox.enqueue(session, event, Content(data, None, session_id), [destination()])[0]


def enqueue_test(session: Session, to: str) -> uuid.UUID:
    """A test letter for who asked for it. It goes even while e-mail is paused, and its success
    resumes that; it is tried once. Gives the delivery's id.
    """
    values = {"link": f"{current().public_url}/settings"}
    letter = Letter([to], "A test letter from Platform 5ive", "test", values)
    return outbox.enqueue(session, outbox.TEST, Content(_drawn(letter)), [destination()])[0]


def _drawn(letter: Letter) -> dict[str, Any]:
    """`{"to", "subject", "text", "html"}`."""
    subject = _in_one_line(letter.subject)
    values = {**letter.values, "subject": subject, "public_url": current().public_url}
    text, html = (
        _templates.get_template(f"{letter.template}.{kind}").render(values)
        for kind in ("txt", "html")
    )
    to = list(dict.fromkeys(letter.to))[:MOST_RECIPIENTS]
    return {"to": to, "subject": subject, "text": text, "html": html}


def _shown(value: object) -> object:
    """Names and notes are typed by people: they cannot forge a line or reorder a sentence. Email
    clients know no isolating element, so characters do it.
    """
    if type(value) is not str or (value.isascii() and value.isprintable()):
        return value
    text = printable(value)
    return text if "\n" in text else isolated(text)


def _lines(text: str) -> list[str]:
    return printable(text).split("\n")


def _in_one_line(subject: str) -> str:
    """Whatever a name typed by somebody holds: a line break would begin another header."""
    line = one_line(subject)
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1] + "…"


def destination() -> str:
    """Where letters go now: `email`, or the console when no mail service is set."""
    return "email" if current().resend_api_key else "console"


# A note of several lines cannot pass for the letter's own.
_templates.filters["quoted"] = lambda text: "\n".join(f"> {line}" for line in _lines(text))
_templates.finalize = _shown
