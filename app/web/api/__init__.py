"""The REST interface, `/api/v1`."""

from app.web.api import messages, sessions, sync, tokens
from app.web.api.blueprint import blueprint

__all__ = ["blueprint", "messages", "sessions", "sync", "tokens"]
