"""`/api/v1/auth`: tokens for an e-mail and a password."""

from __future__ import annotations

from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields
from marshmallow.validate import Length

from app.accounts import credentials, users
from app.accounts.credentials import Tokens
from app.core.db import db, transaction
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
        users.end_sign_ins(session, users.locked(session, identity.user_id))
        audit.note(session, "user.signed_out_everywhere", "user", identity.user_id)
    return "", 204


def _answer(tokens: Tokens) -> dict[str, object]:
    answer: dict[str, object] = TokenAnswer().dump(tokens)
    return answer
