"""API keys."""

from app.web.dashboard.keys import actions, index

__all__ = ["actions", "index"]
