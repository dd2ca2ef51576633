"""What users decide about themselves."""

from app.web.dashboard.profile import actions, show, two_factor

__all__ = ["actions", "show", "two_factor"]
