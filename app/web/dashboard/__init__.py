"""The pages people work on."""

from app.web.dashboard import backtests, deliveries, live, sessions, sites, sync
from app.web.dashboard.blueprint import blueprint

__all__ = ["backtests", "blueprint", "deliveries", "live", "sessions", "sites", "sync"]
