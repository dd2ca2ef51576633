"""`/api/v1/auth`: tokens for an e-mail and a password."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from app.accounts import credentials, users
from app.accounts.credentials import Tokens
from app.core.db import db, transaction
from app.core.errors import Unauthenticated
from app.web.api.blueprint import blueprint
from app.web.api.schemas import Credentials, RefreshToken, TokenAnswer
from app.web.body import read_json
from app.web.guards import public
from app.web.identity import current_identity
from app.web.rates import rates

#: Wrong e-mails and passwords, per address.
FAILURES = "10/minute"


@blueprint.post("/auth/token")
@public
def create_token() -> ResponseReturnValue:
    given = read_json(Credentials())
    rates().check(FAILURES, "token", request.remote_addr or "")
    user = users.verify(db.session(), given["email"], given["password"])
    if user is None:
        rates().take(FAILURES, "token", request.remote_addr or "")
        raise Unauthenticated("This e-mail and password do not go together.")
    return _answer(credentials.issue_tokens(user))


@blueprint.post("/auth/refresh")
@public
def refresh_token() -> ResponseReturnValue:
    return _answer(credentials.refresh(db.session(), read_json(RefreshToken())["refresh_token"]))


@blueprint.delete("/auth/token")
@public
def revoke_tokens() -> ResponseReturnValue:
    """Ends every sign-in of the caller, in the dashboard too."""
    identity = current_identity()
    if identity is None or identity.user_id is None:
        raise Unauthenticated("Please send the access token you want to end.")
    with transaction() as session:
        credentials.revoke(session, identity.user_id)
    return "", 204


def _answer(tokens: Tokens) -> dict[str, object]:
    answer: dict[str, object] = TokenAnswer().dump(tokens)
    return answer
