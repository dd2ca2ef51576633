"""Users: invite, roles, access."""
