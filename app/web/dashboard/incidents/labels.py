"""What is shown of an incident beside its own words."""

from __future__ import annotations

from app.reporting.incidents import IncidentRow
from app.web.frame.labels import Badge

OPEN = Badge("triangle-exclamation", "Open", "red")
RESOLVED = Badge("circle-check", "Resolved", "green")
SOURCE = {
    "n8n": Badge("diagram-project", "N8n", "grey"),
    "assistant": Badge("robot", "Assistant", "grey"),
}


def state(row: IncidentRow) -> Badge:
    return RESOLVED if row.is_resolved else OPEN


def how_often(count: int) -> str:
    """ "Once", "12,345 times"."""
    return {1: "Once", 2: "Twice"}.get(count, f"{count:,} times")
