"""Sync with outside sources, and the health check."""
