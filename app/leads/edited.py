"""What people have put right in a lead: it stands, whatever the visitor says later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.models.transcript import Answer, Draft


def with_edits(draft: Draft, edited: Mapping[str, str | None]) -> Draft:
    """The draft as a lead keeps it. `edited`: by field key, None for what a person has emptied."""
    if not edited:
        return draft
    answers = {key: answer for key, answer in draft.answers.items() if key not in edited}
    put_right = {key: Answer(value) for key, value in edited.items() if value is not None}
    return replace(draft, answers=answers | put_right)
