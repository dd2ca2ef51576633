"""Where the dashboard begins, and the notices above every page."""

from app.web.dashboard.overview import index, notices

__all__ = ["index", "notices"]
