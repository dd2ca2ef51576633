"""Signing in and out of the dashboard."""

from app.web.auth.views import blueprint

__all__ = ["blueprint"]
