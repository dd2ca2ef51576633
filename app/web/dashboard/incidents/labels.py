"""What is shown of an incident beside its own words."""

from __future__ import annotations

from app.reporting.incidents import IncidentRow
from app.web.frame.labels import Look

OPEN = Look("triangle-exclamation", "Open", "red")
RESOLVED = Look("circle-check", "Resolved", "green")
SOURCE = {
    "n8n": Look("diagram-project", "N8n", "grey"),
    "assistant": Look("robot", "Assistant", "grey"),
}


def state(row: IncidentRow) -> Look:
    return RESOLVED if row.is_resolved else OPEN


def how_often(count: int) -> str:
    """ "Once", "12,345 times"."""
    return {1: "Once", 2: "Twice"}.get(count, f"{count:,} times")
