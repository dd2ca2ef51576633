"""The REST interface, `/api/v1`."""

from app.web.api import incidents, messages, sessions, sync, tokens
from app.web.api.blueprint import blueprint

__all__ = ["blueprint", "incidents", "messages", "sessions", "sync", "tokens"]
