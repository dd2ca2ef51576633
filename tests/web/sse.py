"""Read server-sent events."""

from __future__ import annotations

import json
from typing import Any


def read_events(body: str) -> list[tuple[str, Any]]:
    """(name, data) of each event, its data as JSON."""
    events = []
    for block in body.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        events.append((fields["event"], json.loads(fields["data"])))
    return events
