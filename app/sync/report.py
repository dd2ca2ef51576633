"""What a reading of N8n's chat memory came to."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class ReadReport:
    """`rows_read`: rows of the tables; `set_aside`: those that could not be read.

    `is_done` is False when rows were left because the time was over.
    """

    rows_read: int = 0
    sessions_created: int = 0
    messages_added: int = 0
    duplicates: int = 0
    completions_found: int = 0
    leads_created: int = 0
    deliveries_enqueued: int = 0
    set_aside: int = 0
    is_done: bool = True

    def add(self, other: ReadReport) -> None:
        for each in fields(self):
            if each.name != "is_done":
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        self.is_done = self.is_done and other.is_done
