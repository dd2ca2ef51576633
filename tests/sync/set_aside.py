"""Rows of n8n's chat memory that could not be imported."""

from __future__ import annotations

import uuid

from app.core import clock
from app.core.db import transaction
from app.models import MemoryRowSetAside, MemorySource


def set_aside(number: int) -> None:
    with transaction() as session:
        source = MemorySource(table_name=f"t{uuid.uuid4().hex[:8]}", created_at=clock.now())
        session.add(source)
        session.flush()
        session.add_all(
            MemoryRowSetAside(
                source_id=source.id,
                source_row=row,
                session_key="chat",
                reason=f"Row {row:03} is bad.",
                excerpt="<b>odd</b>",
                seen_at=clock.now(),
            )
            for row in range(1, number + 1)
        )
