"""The pages people work on."""

from app.web.dashboard import (
    assistants,
    audit,
    backtests,
    checks,
    deliveries,
    incidents,
    keys,
    leads,
    live,
    profile,
    session_moves,
    session_pages,
    sessions,
    settings,
    sites,
    sync,
    users,
)
from app.web.dashboard.blueprint import blueprint

__all__ = [
    "assistants",
    "audit",
    "backtests",
    "blueprint",
    "checks",
    "deliveries",
    "incidents",
    "keys",
    "leads",
    "live",
    "profile",
    "session_moves",
    "session_pages",
    "sessions",
    "settings",
    "sites",
    "sync",
    "users",
]
