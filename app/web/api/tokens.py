"""`/api/v1/auth`: tokens for an e-mail and a password."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields
from marshmallow.validate import Length

from app.accounts import audit as accounts_audit
from app.accounts import credentials, sign_ins
from app.accounts.credentials import Reused, Tokens
from app.core.db import transaction
from app.core.errors import Denied, Unauthenticated
from app.web import audit
from app.web.api.blueprint import blueprint
from app.web.api.fields import StoredText
from app.web.auth import attempts
from app.web.body import read_json
from app.web.guards import public
from app.web.identity import current_identity

WRONG = "This e-mail and password do not go together."
SECOND_STEP = (
    "This user signs in with a second step, which this address cannot ask for."
    " Please use an API key, made under Keys in the dashboard."
)


class Credentials(Schema):
    email = StoredText(required=True, validate=Length(1, 320))
    password = StoredText(required=True, validate=Length(1, 500))


class RefreshToken(Schema):
    refresh_token = StoredText(required=True, validate=Length(1, 2000))


class TokenAnswer(Schema):
    access_token = fields.String()
    refresh_token = fields.String()
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer(attribute="expires_in_seconds")


@blueprint.post("/auth/token")
@public
def create_token() -> ResponseReturnValue:
    given = read_json(Credentials())
    user = attempts.verified(given["email"], given["password"])
    if user is None:
        raise Unauthenticated(WRONG)
    if user.totp_enabled_at is not None:
        raise Denied(SECOND_STEP)
    if not attempts.done(user, by="api"):
        raise Unauthenticated(WRONG)
    with transaction() as session:
        tokens = credentials.issue_tokens(session, user)
    return _answer(tokens)


@blueprint.post("/auth/refresh")
@public
def refresh_token() -> ResponseReturnValue:
    """Each refresh token works once. One that comes again ends its sign-in."""
    given = read_json(RefreshToken())["refresh_token"]
    with transaction() as session:
        tokens = credentials.refresh(session, given)
        if isinstance(tokens, Reused):
            accounts_audit.note(
                session,
                tokens.user_id,
                "user.refresh_token_reused",
                "user",
                tokens.user_id,
                address=request.remote_addr,
            )
    if isinstance(tokens, Reused):
        raise Unauthenticated(credentials.REUSED)
    return _answer(tokens)


@blueprint.delete("/auth/token")
@public
def revoke_tokens() -> ResponseReturnValue:
    """End the sign-in that the access token belongs to, and no other one."""
    identity = current_identity()
    if identity is None or identity.user_id is None or identity.sign_in_id is None:
        raise Unauthenticated("Please send the access token you want to end.")
    with transaction() as session:
        if sign_ins.end(session, identity.user_id, identity.sign_in_id):
            audit.note(session, "user.signed_out", "user", identity.user_id, by="api")
    return "", 204


def _answer(tokens: Tokens) -> dict[str, object]:
    answer: dict[str, object] = TokenAnswer().dump(tokens)
    return answer
