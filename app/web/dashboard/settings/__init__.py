"""What the server is configured for."""

from app.web.dashboard.settings import actions, index

__all__ = ["actions", "index"]
