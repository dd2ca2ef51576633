"""Sync with outside sources, and the health check."""

from app.web.dashboard.sync import actions, index, jobs

__all__ = ["actions", "index", "jobs"]
