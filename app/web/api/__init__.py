"""The REST interface, `/api/v1`."""

from app.web.api import completion, messages, sessions, sync, tokens
from app.web.api.blueprint import blueprint

__all__ = ["blueprint", "completion", "messages", "sessions", "sync", "tokens"]
