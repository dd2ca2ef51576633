"""Sessions: the list, one session with its lead, and what people do with them."""

from app.web.dashboard.sessions import actions, bulk, index, lead, show

__all__ = ["actions", "bulk", "index", "lead", "show"]
