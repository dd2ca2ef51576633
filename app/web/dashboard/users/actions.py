"""What an admin does with a user: role, in and out, links, the second step."""

from __future__ import annotations

import uuid

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import roles, users
from app.core.db import transaction
from app.core.errors import Conflict
from app.models import User
from app.web import audit
from app.web.dashboard.users.labels import ROLE, called
from app.web.dashboard.users.links import hand_over
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import signed_in_user_id


@blueprint.post("/users/<uuid:user_id>/role")
@requires("users:write")
def change_role(user_id: uuid.UUID) -> ResponseReturnValue:
    role = request.form.get("role", "")
    try:
        with transaction() as session:
            before = users.get(session, user_id).role
            user = roles.change_role(session, user_id, role, signed_in_user_id())
            if before != role:
                audit.note(session, "user.role_changed", "user", user_id, old=before, new=role)
    except Conflict as error:
        return _back(user_id, error.detail, "error")
    return _back(user_id, f"{called(user)} is {ROLE[role].text.lower()} now.")


@blueprint.post("/users/<uuid:user_id>/deactivation")
@requires("users:write")
def deactivate(user_id: uuid.UUID) -> ResponseReturnValue:
    try:
        with transaction() as session:
            user = roles.deactivate(session, user_id, signed_in_user_id())
            audit.note(session, "user.deactivated", "user", user_id)
    except Conflict as error:
        return _back(user_id, error.detail, "error")
    return _back(user_id, f"{called(user)} is signed out and can no longer sign in.")


@blueprint.post("/users/<uuid:user_id>/activation")
@requires("users:write")
def activate(user_id: uuid.UUID) -> ResponseReturnValue:
    try:
        with transaction() as session:
            user = roles.activate(session, user_id)
            audit.note(session, "user.activated", "user", user_id)
    except Conflict as error:
        return _back(user_id, error.detail, "error")
    return _back(user_id, f"{called(user)} can sign in again.")


@blueprint.post("/users/<uuid:user_id>/sign-outs")
@requires("users:write")
def sign_user_out(user_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        user = users.locked(session, user_id)
        users.end_sign_ins(session, user)
        audit.note(session, "user.signed_out_everywhere", "user", user_id)
    return _back(user_id, f"{called(user)} is signed out everywhere.")


@blueprint.post("/users/<uuid:user_id>/links")
@requires("users:write")
def make_link(user_id: uuid.UUID) -> ResponseReturnValue:
    by_mail = request.form.get("how") == "mail"
    try:
        with transaction() as session:
            user = _active(users.locked(session, user_id))
            hand_over(session, user, by_mail=by_mail, by=users.get(session, signed_in_user_id()))
            action = "user.invited" if user.is_invited else "password.link_made"
            audit.note(session, action, "user", user_id)
    except Conflict as error:
        return _back(user_id, error.detail, "error")
    return _back(user_id)


@blueprint.post("/users/<uuid:user_id>/two-factor-removal")
@requires("users:write")
def end_two_factor(user_id: uuid.UUID) -> ResponseReturnValue:
    try:
        with transaction() as session:
            user = roles.end_two_factor(session, user_id, signed_in_user_id())
            audit.note(session, "two_factor.disabled", "user", user_id)
    except Conflict as error:
        return _back(user_id, error.detail, "error")
    return _back(user_id, f"{called(user)} signs in with the password alone now.")


def _active(user: User) -> User:
    if not user.is_active:
        raise Conflict("Please activate this user first.")
    return user


def _back(user_id: uuid.UUID, words: str = "", kind: str = "message") -> ResponseReturnValue:
    if words:
        flash(words, kind)
    return redirect(url_for("dashboard.user", user_id=user_id))
