"""Who is asking: a signed-in user's cookie, or a credential in a header."""

from __future__ import annotations

import uuid

from flask import g, request
from flask_login import current_user

from app.accounts import api_keys, credentials
from app.accounts.credentials import Identity
from app.core.db import db


def is_api_request() -> bool:
    """Machines get JSON and no redirect to a sign-in page."""
    return f"{request.path}/".startswith(("/api/", "/widget/", "/webhooks/", "/auth/"))


def current_identity() -> Identity | None:
    """The caller's identity, looked up once a request. Cookies do not count under `/api/`."""
    if "identity" not in g:
        g.identity = _from_header() if request.path.startswith("/api/") else _from_cookie()
    identity: Identity | None = g.identity
    return identity


def signed_in_user_id() -> uuid.UUID:
    """The id of the user who asks, on a page that only people can reach."""
    identity = current_identity()
    assert identity is not None
    assert identity.user_id is not None
    return identity.user_id


def _from_header() -> Identity | None:
    if key := request.headers.get("X-API-Key", "").strip():
        return api_keys.identity_from_api_key(db.session(), key)
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        return None
    return credentials.identity_from_access_token(db.session(), token.strip())


def _from_cookie() -> Identity | None:
    return current_user.identity if current_user.is_authenticated else None
