"""Each route by which people change something is called: one entry says who did what to what, and
none is written when it is refused, or done already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core.db import db, transaction
from app.models import AuditEntry, User
from tests.web.audit_calls import (
    NEW,
    Call,
    Stage,
    activate_call,
    adoption_call,
    assistant_call,
    confirm_call,
    destination_call,
    end_two_factor_call,
    incident_call,
    job_call,
    lead_call,
    many_call,
    password_link_call,
    personal_call,
    profile_call,
    qa_call,
    qa_undo_call,
    revoke_call,
    second_step_call,
    send_again_call,
    send_all_again_call,
    session_call,
    sign_in_call,
    site_call,
    two_factor_call,
    user_call,
    view_call,
)
from tests.web.changing_routes import EXEMPT, changing
from tests.web.signed_in import PASSWORD, csrf_token, make_user, sign_in

PROFILE = {"name": "Ann Lee", "timezone": "UTC", "theme": "dark", "wants_notices": "yes"}
CHANGED = {"old_password": PASSWORD, "new_password": NEW, "again": NEW}
ARCHIVED = {"archive_status": "archived"}
CALLS: dict[str, Callable[[Stage], Call]] = {
    "auth.choose_password": password_link_call,
    "auth.second": second_step_call,
    "auth.sign_in": sign_in_call,
    "dashboard.activate": activate_call,
    "dashboard.activate_session": session_call("activated", "activation", **ARCHIVED),
    "dashboard.activate_sessions": many_call("activated", "activation", **ARCHIVED),
    "dashboard.adopt_rules": adoption_call,
    "dashboard.archive_session": session_call("archived", "archiving"),
    "dashboard.archive_sessions": many_call("archived", "archive"),
    "dashboard.change_password": profile_call(
        "password.changed", "/password", data=CHANGED, wrong={**CHANGED, "old_password": "no"}
    ),
    "dashboard.change_profile": profile_call(
        "profile.changed", "", data=PROFILE, wrong={**PROFILE, "theme": "loud"}
    ),
    "dashboard.change_role": user_call(
        "user.role_changed", "role", role="admin", wrong={"role": "owner"}
    ),
    "dashboard.complete_session": session_call("completed", "completion"),
    "dashboard.confirm_two_factor": confirm_call,
    "dashboard.deactivate": user_call("user.deactivated", "deactivation"),
    "dashboard.delete_view": view_call("view.deleted", "deletion"),
    "dashboard.delivery_personal": personal_call,
    "dashboard.end_two_factor": end_two_factor_call,
    "dashboard.invite": lambda _: Call(
        "/users", {"email": "eve@example.com", "role": "agent"}, "user.invited", "user",
        wrong={"email": "bob@example.com", "role": "agent"},
    ),
    "dashboard.make_key": lambda _: Call(
        "/keys", {"name": "N8n", "scopes": "sync:run"}, "key.created", "key",
        wrong={"name": "N8n", "scopes": "whatever"}, again=True,
    ),
    "dashboard.make_link": user_call("password.link_made", "links", how="link", again=True),
    "dashboard.make_recovery_codes": two_factor_call(
        "two_factor.codes_made", "/recovery-codes", again=True
    ),
    "dashboard.remove_session": session_call("deleted", "deletion"),
    "dashboard.remove_two_factor": two_factor_call("two_factor.disabled", "/two-factor/removal"),
    "dashboard.rename_view": view_call(
        "view.renamed", "name", data={"name": "Hers"}, wrong={"name": " "}
    ),
    "dashboard.reopen_incident": incident_call("incident.reopened", "reopening", is_resolved=True),
    "dashboard.reopen_session": session_call(
        "reopened", "reopening", completion_status="completed"
    ),
    "dashboard.replace_view": view_call("view.changed", "filters?qa_status=issue"),
    "dashboard.resolve_incident": incident_call(
        "incident.resolved", "resolution", is_resolved=False
    ),
    "dashboard.resume": destination_call("destination.resumed", "resumption"),
    "dashboard.retry_job": job_call,
    "dashboard.revoke_key": revoke_call,
    "dashboard.save_assistant": assistant_call,
    "dashboard.save_lead": lead_call,
    "dashboard.save_view": lambda _: Call(
        "/views/sessions", {"name": "Mine"}, "view.saved", "view", wrong={"name": ""}
    ),
    "dashboard.send_again": send_again_call,
    "dashboard.send_all_again": send_all_again_call,
    "dashboard.send_test_letter": lambda _: Call(
        "/settings/test-letter", {}, "letter.tested", "delivery", again=True
    ),
    "dashboard.sign_out_everywhere": profile_call(
        "user.signed_out_everywhere", "/sign-outs", data={}
    ),
    "dashboard.sign_user_out": user_call("user.signed_out_everywhere", "sign-outs", again=True),
    "dashboard.site_settings": site_call,
    "dashboard.start_check": lambda _: Call("/sync/checks", {}, "check.started", "check"),
    "dashboard.start_sync": lambda _: Call("/sync", {}, "sync.started", "sync"),
    "dashboard.test": destination_call("destination.tested", "test"),
    "qa.decide": qa_call,
    "qa.undo": qa_undo_call,
}  # fmt: skip


@pytest.fixture
def stage(database: Flask) -> tuple[FlaskClient, Callable[[str], Call]]:
    """A signed-in admin, and what gives the call of a route."""
    ann, bob = make_user().id, make_user("bob@example.com", role="agent").id
    client = database.test_client()
    sign_in(client)

    def call_of(endpoint: str) -> Call:
        with transaction() as session:
            return CALLS[endpoint](Stage(database, session, ann, bob))

    return client, call_of


def entries() -> list[AuditEntry]:
    db.session.remove()
    return list(db.session().scalars(select(AuditEntry).order_by(AuditEntry.id)))


def post(client: FlaskClient, call: Call, data: dict[str, Any]) -> int:
    token = csrf_token(client.get(call.page))
    return client.post(call.path, data={"csrf_token": token, **data}).status_code


def test_every_route_that_changes_something_is_called_here(app: Flask) -> None:
    assert set(changing(app)) == CALLS.keys() | EXEMPT.keys()


@pytest.mark.parametrize("endpoint", CALLS)
def test_one_entry_says_who_did_what_to_what(
    endpoint: str, stage: tuple[FlaskClient, Callable[[str], Call]]
) -> None:
    call = stage[1](endpoint)
    client = call.client or stage[0]
    before = len(entries())
    assert post(client, call, call.data) in (200, 201, 302)
    [entry] = entries()[before:]
    assert (entry.action, entry.object_type) == (call.action, call.kind)
    who = db.session().get_one(User, entry.user_id)
    assert who.email == call.by
    assert entry.address == "127.0.0.1"
    if call.subject is not None:
        assert entry.object_id == str(call.subject)
    elif call.kind not in ("sync", "check"):
        assert entry.object_id
    if endpoint in ("dashboard.sign_out_everywhere", "auth.second", "auth.sign_in"):
        return  # the form is no longer there
    if call.path.startswith("/login/password/"):
        return
    post(client, call, call.data)
    assert [each.action for each in entries()[before:]] == [call.action] * (1 + call.again)


@pytest.mark.parametrize("endpoint", CALLS)
def test_what_is_refused_is_not_noted(
    endpoint: str, app: Flask, stage: tuple[FlaskClient, Callable[[str], Call]]
) -> None:
    call = stage[1](endpoint)
    client, stranger, agent = call.client or stage[0], app.test_client(), app.test_client()
    make_user("carl@example.com", role="agent")
    sign_in(agent, "carl@example.com")
    before = len(entries())
    assert client.post(call.path, data=call.data).status_code == 400  # without its token
    assert len(entries()) == before
    if call.wrong is not None:
        assert post(client, call, call.wrong) < 500
        assert len(entries()) == before
    if call.client is None:
        token = csrf_token(stranger.get("/login"))
        stranger.post(call.path, data={"csrf_token": token, **call.data})
        assert len(entries()) == before
        token = csrf_token(agent.get("/profile"))
        answer = agent.post(call.path, data={"csrf_token": token, **call.data})
        if answer.status_code >= 400:
            assert len(entries()) == before
