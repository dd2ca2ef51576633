"""The audit log: who did what."""

from app.web.dashboard.audit import index

__all__ = ["index"]
