"""Every route by which people change something, with what it is sent and what the log says then."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import api_keys, links, saved_views, users
from app.completion import backtest
from app.core import clock
from app.core.crypto import seal
from app.incidents.record import Seen, note
from app.incidents.resolve import resolve
from app.models import ChatSession, Delivery, Destination, Message, User
from app.review import qa
from app.review.qa import Decision
from tests.accounts.authenticator import code_of
from tests.factories import make_chat, make_lead, make_message, make_quarantined, make_site
from tests.reporting.test_deliveries import make_delivery
from tests.web.assistant_page import form_of
from tests.web.signed_in import PASSWORD, sign_in

NEW = "a good new password"
#: An authenticator's secret.
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
REPORT = {"note": "25 o'clock", "category": "wrong_answer"}


@dataclass(frozen=True, slots=True)
class Call:
    """`action` and `subject`: what the one new entry says; a subject that is only known afterwards
    is None. `wrong`: form values with which nothing is done. `again`: the same form, sent a second
    time, does something a second time. `by`: whose entry it is. `page`: where the form stands.
    """

    path: str
    data: dict[str, Any]
    action: str
    kind: str
    subject: object = None
    wrong: dict[str, Any] | None = None
    again: bool = False
    by: str = "ann@example.com"
    page: str = "/profile"
    client: FlaskClient | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the routes are tried on: Ann, an admin, is signed in; Bob is an agent."""

    app: Flask
    session: Session
    ann: uuid.UUID
    bob: uuid.UUID

    def commit(self) -> None:
        """What follows finds what was made, and opens transactions of its own."""
        self.session.commit()
        self.session.info.pop("in_transaction", None)

    def stranger(self) -> FlaskClient:
        return self.app.test_client()

    def chat(self, **values: Any) -> ChatSession:
        chat = make_chat(self.session, **values)
        make_message(self.session, chat)
        return chat


def session_call(action: str, path: str, **values: Any) -> Callable[[Stage], Call]:
    def call(stage: Stage) -> Call:
        chat = stage.chat(**values)
        return Call(f"/sessions/{chat.id}/{path}", {}, f"session.{action}", "session", chat.id)

    return call


def many_call(action: str, path: str, **values: Any) -> Callable[[Stage], Call]:
    def call(stage: Stage) -> Call:
        chat = stage.chat(**values)
        data = {"ids": [str(chat.id)]}
        wrong = {"ids": [str(uuid.uuid4())]}
        return Call(f"/sessions/{path}", data, f"session.{action}", "session", chat.id, wrong)

    return call


def user_call(
    action: str, path: str, *, again: bool = False, wrong: Any = None, **data: str
) -> Callable[[Stage], Call]:
    def call(stage: Stage) -> Call:
        path_of_bob = f"/users/{stage.bob}/{path}"
        return Call(path_of_bob, data, action, "user", stage.bob, wrong, again)

    return call


def profile_call(action: str, path: str, **values: Any) -> Callable[[Stage], Call]:
    def call(stage: Stage) -> Call:
        return Call(f"/profile{path}", kind="user", subject=stage.ann, action=action, **values)

    return call


def view_call(action: str, path: str, **values: Any) -> Callable[[Stage], Call]:
    def call(stage: Stage) -> Call:
        view = saved_views.save(stage.session, stage.ann, "sessions", "Mine", "")
        given = {"data": {}, **values}
        return Call(
            f"/views/{view.id}/{path}", action=action, kind="view", subject=view.id, **given
        )

    return call


def qa_call(stage: Stage) -> Call:
    chat = stage.chat()
    message_id = stage.session.scalar(select(Message.id).where(Message.session_id == chat.id))
    data = {**REPORT, "to_status": "issue", "expected_status": "unchecked"}
    data["message_id"] = str(message_id)
    wrong = {**data, "note": ""}
    return Call(f"/sessions/{chat.id}/qa", data, "session.qa_moved", "session", chat.id, wrong)


def qa_undo_call(stage: Stage) -> Call:
    chat = stage.chat()
    passed = Decision("passed")
    made = qa.move(stage.session, chat.id, stage.ann, passed, expected_status="unchecked").move
    path, data = f"/sessions/{chat.id}/qa/undo", {"move_id": str(made.id)}
    return Call(path, data, "session.qa_undone", "session", chat.id, {"move_id": "0"})


def lead_call(stage: Stage) -> Call:
    chat = stage.chat()
    lead = make_lead(stage.session, chat)
    data = {"version": str(lead.version), "value-name": "Eve", "seen-name": "Ann Lee"}
    wrong = {"version": str(lead.version), "value-email": "no", "seen-email": "ann@example.com"}
    return Call(f"/sessions/{chat.id}/lead", data, "lead.edited", "session", chat.id, wrong)


def given_up(stage: Stage) -> Delivery:
    return make_delivery(stage.session, status="dead")


def send_again_call(stage: Stage) -> Call:
    sent = given_up(stage)
    path = f"/deliveries/{sent.id}/attempts"
    return Call(path, {}, "delivery.sent_again", "delivery", sent.id)


def send_all_again_call(stage: Stage) -> Call:
    given_up(stage)
    data, wrong = {"destination": "n8n"}, {"destination": "nowhere"}
    path = "/deliveries/attempts"
    return Call(path, data, "deliveries.sent_again", "destination", "n8n", wrong)


def personal_call(stage: Stage) -> Call:
    sent = given_up(stage)
    path = f"/deliveries/{sent.id}/personal-details"
    return Call(path, {}, "delivery.personal_shown", "delivery", sent.id, again=True)


def destination_call(action: str, path: str) -> Callable[[Stage], Call]:
    def call(stage: Stage) -> Call:
        given_up(stage)
        sent_to = stage.session.get_one(Destination, "n8n")
        sent_to.paused_at, sent_to.pause_reason = clock.now(), "gone"
        return Call(f"/destinations/n8n/{path}", {}, action, "destination", "n8n", again=True)

    return call


def incident_call(action: str, path: str, *, is_resolved: bool) -> Callable[[Stage], Call]:
    def call(stage: Stage) -> Call:
        incident_id = note(stage.session, Seen("n8n", ("W1",), "Lead intake", "It broke")).id
        if is_resolved:
            resolve(stage.session, incident_id, stage.bob)
        return Call(f"/incidents/{incident_id}/{path}", {}, action, "incident", incident_id)

    return call


def job_call(stage: Stage) -> Call:
    job_id = make_quarantined(stage.session)
    return Call(f"/sync/jobs/{job_id}/attempts", {}, "job.retried", "job", job_id)


def revoke_call(stage: Stage) -> Call:
    key = api_keys.create(stage.session, name="N8n", scopes=["leads:read"]).key
    return Call(f"/keys/{key.id}/revocation", {}, "key.revoked", "key", key.id)


def site_call(stage: Stage) -> Call:
    make_site(stage.session, key="harbour")
    data = {"partial_after_minutes": "45", "memory_table": ""}
    path, wrong = "/sites/harbour/settings", {**data, "partial_after_minutes": "soon"}
    return Call(path, data, "site.changed", "site", "harbour", wrong, again=True)


def assistant_call(stage: Stage) -> Call:
    make_site(stage.session, key="harbour")
    stage.commit()
    path = "/sites/harbour/assistant"
    admin = stage.stranger()
    sign_in(admin)
    data = form_of(admin.get(path))
    del data["csrf_token"]
    wrong = {**data, "assistant": "nobody"}
    return Call(path, data, "site.assistant_changed", "site", "harbour", wrong, again=True)


def adoption_call(stage: Stage) -> Call:
    site = make_site(stage.session, key="harbour")
    made = backtest.start(stage.session, site.id, ["you are booked"], [], stage.ann)
    stage.commit()
    backtest.run(made.id)
    path = f"/sites/harbour/backtests/{made.id}/adoption"
    return Call(path, {}, "site.rules_changed", "site", "harbour")


def sign_in_call(stage: Stage) -> Call:
    data = {"email": "bob@example.com", "password": PASSWORD}
    return Call(
        "/login", data, "user.signed_in", "user", stage.bob, {**data, "password": "wrong"},
        by="bob@example.com", page="/login", client=stage.stranger(),
    )  # fmt: skip


def with_app(stage: Stage, user_id: uuid.UUID, *, is_on: bool = True) -> User:
    user = users.locked(stage.session, user_id)
    user.totp_secret = seal(SECRET)
    if is_on:
        user.totp_enabled_at = clock.now()
    stage.session.flush()
    return user


def second_step_call(stage: Stage) -> Call:
    code = code_of(with_app(stage, stage.bob))
    stage.commit()
    client = stage.stranger()
    sign_in(client, "bob@example.com")
    return Call(
        "/login/code", {"code": code}, "user.signed_in", "user", stage.bob, {"code": "no"},
        by="bob@example.com", page="/login/code", client=client,
    )  # fmt: skip


def password_link_call(stage: Stage) -> Call:
    path = re.sub(r"^https?://[^/]+", "", links.make(
        stage.session, users.locked(stage.session, stage.bob), "reset", stage.ann
    ))  # fmt: skip
    data = {"password": NEW, "again": NEW}
    return Call(
        path, data, "password.reset", "user", stage.bob, {**data, "again": "another"},
        by="bob@example.com", page=path, client=stage.stranger(),
    )  # fmt: skip


def two_factor_call(action: str, path: str, **values: Any) -> Callable[[Stage], Call]:
    data = {"two_factor_password": PASSWORD}
    wrong = {"two_factor_password": "wrong"}

    def call(stage: Stage) -> Call:
        with_app(stage, stage.ann)
        path_of_profile = f"/profile{path}"
        return Call(path_of_profile, data, action, "user", stage.ann, wrong, **values)

    return call


def confirm_call(stage: Stage) -> Call:
    code = code_of(with_app(stage, stage.ann, is_on=False))
    return Call(
        "/profile/two-factor/confirmation", {"code": code}, "two_factor.enabled", "user",
        stage.ann, {"code": "000"},
    )  # fmt: skip


def end_two_factor_call(stage: Stage) -> Call:
    with_app(stage, stage.bob)
    path = f"/users/{stage.bob}/two-factor-removal"
    return Call(path, {}, "two_factor.disabled", "user", stage.bob)


def activate_call(stage: Stage) -> Call:
    users.locked(stage.session, stage.bob).is_active = False
    return Call(f"/users/{stage.bob}/activation", {}, "user.activated", "user", stage.bob)
