"""The audit log: every change a person makes is in it, in plain words."""

from __future__ import annotations

import re
import uuid
from inspect import ismodule
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.accounts import audit
from app.core.db import transaction
from app.models import AuditEntry
from app.web.audit import note
from app.web.dashboard.audit import labels as audit_labels
from tests.factories import make_chat, make_site
from tests.reporting.queries import counted
from tests.web.changing_routes import EXEMPT, changing
from tests.web.signed_in import csrf_token, make_user

ROOT = Path(__file__).resolve().parents[4]
_CALL = re.compile(
    r"""note\(\s*session,\s*(?:None,\s*|[\w.()]+,\s*)?(?:action|"([a-z_]+\.[a-z_]+)")"""
)


def test_every_action_has_words() -> None:
    source = "\n".join(
        path.read_text("utf-8")
        for folder in ("web", "cli", "accounts")
        for path in (ROOT / "app" / folder).rglob("*.py")
        if path.parts[-2:] != ("audit", "labels.py")
    )
    noted = {action for action in _CALL.findall(source) if action}
    assert len(noted) > 20
    assert noted <= audit_labels.SAID.keys()
    used = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', source))
    assert audit_labels.SAID.keys() <= used, "words for what is never noted"


def test_every_route_that_changes_something_notes_it(app: Flask) -> None:
    silent = [
        endpoint
        for endpoint in changing(app)
        if endpoint not in EXEMPT and not _notes(app.view_functions[endpoint])
    ]
    assert "\n".join(silent) == ""


def _notes(function: Any, depth: int = 3) -> bool:
    """Whether it, or one of our own functions that it names, writes into the log."""
    if function in (note, audit.note):
        return True
    is_ours = getattr(function, "__module__", "").startswith("app.")
    if depth == 0 or not (is_ours and hasattr(function, "__code__")):
        return False
    inner = [each for each in function.__code__.co_consts if hasattr(each, "co_names")]
    names = {name for code in (function.__code__, *inner) for name in code.co_names}
    known = [function.__globals__[name] for name in names if name in function.__globals__]
    known += [getattr(each, name, None) for each in known if ismodule(each) for name in names]
    return any(_notes(each, depth - 1) for each in known if callable(each))


def test_what_an_admin_does_is_told_with_a_link_while_it_is_there(
    database: Flask, admin: FlaskClient
) -> None:
    with transaction() as session:
        chat = make_chat(session, make_site(session))
    token = csrf_token(admin.get(f"/sessions/{chat.id}"))
    admin.post(f"/sessions/{chat.id}/completion", data={"csrf_token": token})
    page = admin.get("/audit").text
    assert "marked a session as completed" in page
    assert f'href="/sessions/{chat.id}"' in page
    admin.post(f"/sessions/{chat.id}/deletion", data={"csrf_token": token})
    page = admin.get("/audit").text
    assert "deleted a session" in page
    assert f'href="/sessions/{chat.id}"' not in page


def test_the_log_is_narrowed_by_person_kind_and_day(database: Flask, admin: FlaskClient) -> None:
    with transaction() as session:
        audit.note(session, None, "site.created", "site", "roofs")
        audit.note(session, None, "key.revoked", "key", uuid.uuid4(), name="N8n")
    assert "Command line" in admin.get("/audit?by=command-line").text
    narrowed = admin.get("/audit?by=command-line&about=keys").text
    assert "revoked a key" in narrowed
    assert "roofs" not in narrowed
    assert "Nothing like this" in admin.get("/audit?about=views").text
    assert "revoked a key" not in admin.get("/audit?period=yesterday").text
    wrong = admin.get("/audit?from=soon")
    assert wrong.status_code == 422
    assert 'value="soon"' in wrong.text


def test_a_number_is_told_as_one_says_it(database: Flask, admin: FlaskClient) -> None:
    with transaction() as session:
        audit.note(session, None, "deliveries.sent_again", "destination", "n8n", count=1)
        audit.note(session, None, "deliveries.sent_again", "destination", "n8n", count=1200)
    page = admin.get("/audit").text
    assert "1 delivery<" in page
    assert "1,200 deliveries<" in page


def test_a_long_log_has_pages_and_no_query_per_row(database: Flask, admin: FlaskClient) -> None:
    other = make_user("bob@example.com", role="agent").id
    with transaction() as session:
        for _ in range(3):
            audit.note(session, other, "session.archived", "session", uuid.uuid4())
    admin.get("/audit")
    with counted() as few:
        admin.get("/audit")
    with transaction() as session:
        for number in range(70):
            chat = make_chat(session) if number % 10 == 0 else None
            audit.note(
                session, other, "session.archived", "session", chat.id if chat else uuid.uuid4()
            )
    with counted() as many:
        first = admin.get("/audit").text
    assert len(many) <= len(few), "\n".join(many)
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    assert admin.get(older[1].replace("&amp;", "&")).text.count('id="audit-') > 20
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 74


def test_what_was_done_to_somebody_else_names_them(database: Flask, admin: FlaskClient) -> None:
    bob = make_user("bob@example.com", role="agent").id
    with transaction() as session:
        audit.note(session, bob, "user.signed_out_everywhere", "user", bob)
        audit.note(session, None, "user.signed_out_everywhere", "user", bob)
    page = " ".join(admin.get("/audit").text.split())
    assert "signed out everywhere</p>" in page
    assert 'ended every sign-in of <b dir="auto">bob@example.com</b>' in page


def test_an_agent_does_not_see_it(database: Flask, agent: FlaskClient) -> None:
    assert agent.get("/audit").status_code == 403
    assert 'href="/audit"' not in agent.get("/sessions").text
