"""Incidents: errors of assistants and n8n workflows."""

from app.web.dashboard.incidents import actions, index

__all__ = ["actions", "index"]
