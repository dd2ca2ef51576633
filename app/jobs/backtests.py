"""The jobs of trying other phrases on past sessions, and of carrying out what was saved."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from procrastinate import JobContext

from app.completion import backtest, backtest_save
from app.core.db import transaction

logger = logging.getLogger(__name__)


def run_backtest(context: JobContext, backtest_id: str) -> None:
    _carry_out(backtest.run, context, uuid.UUID(backtest_id))


def apply_rules(context: JobContext, backtest_id: str) -> None:
    _carry_out(backtest_save.apply, context, uuid.UUID(backtest_id))


def settle_rules(_context: JobContext, site_id: str, change: dict[str, Any]) -> None:
    backtest_save.settle(uuid.UUID(site_id), change)


def _carry_out(work: Callable[..., None], context: JobContext, backtest_id: uuid.UUID) -> None:
    """The outermost edge of such a run: the page that shows it must learn that it broke."""
    try:
        work(backtest_id, context.should_abort)
    except Exception:
        logger.exception("a run over past sessions broke", extra={"backtest_id": str(backtest_id)})
        with transaction() as session:
            backtest.fail(session, backtest_id)


JOBS: tuple[tuple[Callable[..., None], str], ...] = (
    (run_backtest, backtest.BACKTEST),
    (apply_rules, backtest_save.APPLY),
    (settle_rules, backtest_save.SETTLE),
)
