"""The jobs of trying other phrases on past sessions, and of carrying out what was saved."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from procrastinate import JobContext

from app.completion import backtest, backtest_save
from app.models.run import APPLY_RULES, BACKTEST


def run_backtest(context: JobContext, run_id: str) -> None:
    backtest.run(uuid.UUID(run_id), context.should_abort)


def apply_rules(context: JobContext, run_id: str) -> None:
    backtest_save.apply(uuid.UUID(run_id), context.should_abort)


def settle_rules(_context: JobContext, site_id: str, change: dict[str, Any]) -> None:
    backtest_save.settle(uuid.UUID(site_id), change)


JOBS: tuple[tuple[Callable[..., None], str], ...] = (
    (run_backtest, BACKTEST),
    (apply_rules, APPLY_RULES),
    (settle_rules, backtest_save.SETTLE),
)
