"""What comes from outside, as whoever reads it hands it over, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.models.transcript import Role

Channel = Literal["n8n", "api", "messenger", "web"]
#: How the session ids of trials begin. N8n notes what was said in one, and nothing else may.
TRIAL = "platform5ive-trial-"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One line from outside. Its writer's own id is either `external_id` or, for a row of N8n's
    chat memory, `source_row`. No `said_at`: it gets the time at which it was first seen.
    """

    role: Role
    text: str
    external_id: str | None = None
    source_row: int | None = None
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """New lines of one conversation, in their writer's order.

    `session_key`: the writer's name for the conversation; for rows of N8n's memory with or without
    their `__Node_Name` tail. One of our own session ids means that session, whatever `site_id` and
    `channel` say.
    """

    site_id: uuid.UUID
    channel: Channel
    session_key: str
    lines: Sequence[Incoming]


@dataclass(slots=True)
class Ingested:
    """What came of it. `held`: rows that have to wait, because the widget's own turn is being
    answered this moment and would say the same; offer them again soon. `sessions`: the session of
    each session key; none for a deleted one.
    """

    sessions: dict[str, uuid.UUID] = field(default_factory=dict)
    sessions_created: int = 0
    messages_added: int = 0
    duplicates: int = 0
    completions_found: int = 0
    leads_created: int = 0
    deliveries_enqueued: int = 0
    held: list[int] = field(default_factory=list)
