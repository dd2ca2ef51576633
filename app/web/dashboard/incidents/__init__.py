"""Incidents: errors of assistants and n8n workflows."""
