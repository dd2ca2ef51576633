"""Catching up with what others wrote: N8n's chat memory into sessions and messages."""

from app.sync.sources import configure

__all__ = ["configure"]
