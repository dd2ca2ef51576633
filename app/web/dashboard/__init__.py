"""The pages people work on."""

from app.web.dashboard import (
    assistants,
    backtests,
    checks,
    deliveries,
    incidents,
    live,
    session_moves,
    sessions,
    sites,
    sync,
)
from app.web.dashboard.blueprint import blueprint

__all__ = [
    "assistants",
    "backtests",
    "blueprint",
    "checks",
    "deliveries",
    "incidents",
    "live",
    "session_moves",
    "sessions",
    "sites",
    "sync",
]
