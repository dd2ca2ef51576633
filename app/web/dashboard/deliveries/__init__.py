"""Deliveries: what was sent where, and with what result."""

from app.web.dashboard.deliveries import actions, index, show

__all__ = ["actions", "index", "show"]
