"""Decide, before a request reads anything, which share of the database connections it uses."""

from __future__ import annotations

import hashlib

from flask import Flask, request, session

from app.accounts import credentials
from app.core.addresses import rate_key
from app.core.connection_shares import CHATS, HEALTH, INGEST, PAGES, use_share
from app.web.cookies import USER_ID

#: What visitors load and send. Everything else is for people who work here, and for programs.
_CHAT_BLUEPRINTS = ("widget", "webhooks")
_HEALTH_BLUEPRINTS = ("operations",)
_API_KEY = "X-API-Key"


def register(app: Flask) -> None:
    """Must come before whatever reads from the database for a request."""
    app.before_request(_choose)


def _choose() -> None:
    if request.blueprint in _CHAT_BLUEPRINTS:
        use_share(CHATS)
    elif request.blueprint in _HEALTH_BLUEPRINTS:
        use_share(HEALTH)
    elif request.blueprint == "api" and request.method == "POST" and _API_KEY in request.headers:
        use_share(INGEST, _owner())
    else:
        use_share(PAGES, _owner())


def _owner() -> str:
    """Whose request this is as far as can be told without the database, so that one user's many
    requests leave connections to the others. Signing in is counted by address.
    """
    if not request.path.startswith("/api/"):
        user_id = session.get(USER_ID)
        return f"user {user_id}" if user_id else _address()
    if key := request.headers.get(_API_KEY):
        return f"key {hashlib.sha256(key.encode()).hexdigest()}"
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    user_id = credentials.signed_user_id(token.strip()) if kind.lower() == "bearer" else None
    return f"user {user_id}" if user_id else _address()


def _address() -> str:
    return f"address {rate_key(request.remote_addr or '')}"
