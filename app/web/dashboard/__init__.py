"""The pages people work on."""

from app.web.dashboard import (
    backtests,
    checks,
    deliveries,
    live,
    session_moves,
    sessions,
    sites,
    sync,
)
from app.web.dashboard.blueprint import blueprint

__all__ = [
    "backtests",
    "blueprint",
    "checks",
    "deliveries",
    "live",
    "session_moves",
    "sessions",
    "sites",
    "sync",
]
