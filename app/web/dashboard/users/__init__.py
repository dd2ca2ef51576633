"""Users: invite, roles, access."""

from app.web.dashboard.users import actions, index, invite, show

__all__ = ["actions", "index", "invite", "show"]
