"""The REST interface, `/api/v1`."""

from app.web.api import completion, errors, messages, sessions, sync, tokens
from app.web.api.blueprint import blueprint

__all__ = ["blueprint", "completion", "errors", "messages", "sessions", "sync", "tokens"]
