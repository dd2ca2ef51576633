"""A chat's token: which session its holder may read and write, and of which site it is."""

from __future__ import annotations

import uuid

from flask import current_app, request

from app.chat.messages import GONE
from app.core.crypto import Signer
from app.core.db import db, release
from app.core.errors import NotFound, Unauthenticated
from app.models import ChatSession

TOKEN_MAX_AGE_SECONDS = 30 * 24 * 3600


def make_token(session_id: uuid.UUID, site_id: uuid.UUID) -> str:
    """With the site in it, a message is counted for its site before the database is asked."""
    return _signer().sign(f"{session_id}@{site_id}")


def check_token(session_id: uuid.UUID) -> uuid.UUID:
    """The session's site. 401 without a valid token, 404 with another session's."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthenticated("Please send this chat's token.")
    signed = _signer().read(token.strip(), TOKEN_MAX_AGE_SECONDS)
    signed_session, _, site = signed.partition("@")
    if signed_session != str(session_id):
        raise NotFound("There is no such chat.")
    return uuid.UUID(site) if site else _find_site(session_id)


def _find_site(session_id: uuid.UUID) -> uuid.UUID:
    """For a token made before tokens named their site."""
    chat = db.session().get(ChatSession, session_id)
    if chat is None:
        raise NotFound(GONE)
    site_id = chat.site_id
    release()  # no connection is held while the assistant thinks
    return site_id


def _signer() -> Signer:
    signer: Signer = current_app.extensions["widget_signer"]
    return signer
