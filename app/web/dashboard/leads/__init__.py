"""Leads, person by person."""

from app.web.dashboard.leads import index

__all__ = ["index"]
