"""Sync with outside sources, and the health check."""

from app.web.dashboard.sync import actions, index

__all__ = ["actions", "index"]
