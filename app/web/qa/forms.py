"""What a reviewer typed, and what is shown of it when it could not be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import request

from app.review.qa import Decision


@dataclass(frozen=True, slots=True)
class RejectedDecision:
    """A decision that was not saved. `conflict`: somebody was quicker, or it is not allowed;
    `errors`: what to do about each field.
    """

    to_status: str
    note: str
    category: str | None
    message_id: int | None
    conflict: str | None = None
    errors: Mapping[str, Sequence[str]] | None = None


def decision() -> Decision:
    """The decision as it was sent; what no form of ours sends counts as not given."""
    form = request.form
    return Decision(
        to_status=form.get("to_status", ""),
        note=form.get("note", "").replace("\r\n", "\n").replace("\x00", "").strip(),
        category=form.get("category") or None,
        message_id=_number(form.get("message_id", "")),
    )


def move_id() -> int:
    return _number(request.form.get("move_id", "")) or 0


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def rejected(
    sent: Decision,
    *,
    conflict: str | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
) -> RejectedDecision:
    return RejectedDecision(
        sent.to_status, sent.note, sent.category, sent.message_id, conflict, errors
    )
