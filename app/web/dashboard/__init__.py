"""The pages people work on."""

from app.web.dashboard import deliveries, live, sessions
from app.web.dashboard.blueprint import blueprint

__all__ = ["blueprint", "deliveries", "live", "sessions"]
