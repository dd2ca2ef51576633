"""Signing in and out of the dashboard, and choosing a password."""

from app.web.auth import passwords, views
from app.web.auth.blueprint import blueprint

__all__ = ["blueprint", "passwords", "views"]
