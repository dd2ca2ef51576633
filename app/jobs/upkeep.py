"""The jobs that look after what must always hold."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from procrastinate import JobContext

from app.leads import partial

logger = logging.getLogger(__name__)

EVERY_10_SECONDS = "* * * * * */10"


def send_abandoned_leads(_context: JobContext, timestamp: int) -> None:
    sent = partial.send_abandoned()
    partial.forget_unwanted()
    if sent:
        logger.info("unfinished leads enqueued", extra={"leads": sent})


PERIODIC: tuple[tuple[Callable[..., Any], str], ...] = ((send_abandoned_leads, EVERY_10_SECONDS),)
