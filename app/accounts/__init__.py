"""Users, what each may do, and how a caller proves who it is."""

from app.accounts.credentials import configure

__all__ = ["configure"]
