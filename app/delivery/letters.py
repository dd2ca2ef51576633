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

from app.delivery import outbox
from app.delivery.payload import Content
from app.delivery.settings import current

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

    `event`: one of `models.delivery.LETTER_EVENTS`. `session_id`: which session it is about.
    """
    values = {**letter.values, "subject": letter.subject, "public_url": current().public_url}
    drawn = {
        kind: _templates.get_template(f"{letter.template}.{kind}").render(values)
        for kind in ("txt", "html")
    }
    data = {
        "to": list(letter.to),
        "subject": letter.subject,
        "text": drawn["txt"],
        "html": drawn["html"],
    }
    return outbox.enqueue(session, event, Content(data, None, session_id), [destination()])[0]


def destination() -> str:
    """Where letters go now: `email`, or the console when no mail service is set."""
    return "email" if current().resend_api_key else "console"
