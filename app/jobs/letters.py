"""Notices that waited to be gathered go out as one letter."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from procrastinate import JobContext

from app.core.db import transaction
from app.review import qa_notices

logger = logging.getLogger(__name__)

EVERY_MINUTE = "* * * * *"


def gather_qa_notices(_context: JobContext, recipient: str) -> None:
    with transaction() as session:
        qa_notices.gather(session, recipient)


def gather_forgotten_qa_notices(context: JobContext, timestamp: int) -> None:
    """Those whose job was lost, or came too early."""
    with transaction() as session:
        recipients = qa_notices.forgotten(session)
    for recipient in recipients:
        gather_qa_notices(context, recipient)
    if recipients:
        logger.info("waiting notices gathered", extra={"recipients": len(recipients)})


JOBS: tuple[tuple[Callable[..., None], str], ...] = ((gather_qa_notices, qa_notices.GATHER),)
PERIODIC: tuple[tuple[Callable[..., Any], str], ...] = (
    (gather_forgotten_qa_notices, EVERY_MINUTE),
)
