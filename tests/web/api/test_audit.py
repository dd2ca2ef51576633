"""What a person does by the API is in the audit log, too."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.core.db import transaction
from app.incidents.record import Seen, note
from tests.factories import make_chat
from tests.web.audit_log import noted
from tests.web.signed_in import bearer, make_user

pytestmark = pytest.mark.usefixtures("database")


def test_what_a_person_does_by_the_api_is_noted_once(client: FlaskClient) -> None:
    ann = make_user()
    with transaction() as session:
        chat_id = make_chat(session).id
        incident_id = note(session, Seen("n8n", ("W1",), "Lead intake", "It broke")).id
    headers = bearer(client)
    chat, incident = f"/api/v1/sessions/{chat_id}", f"/api/v1/errors/{incident_id}"
    for _ in range(2):  # done already is not noted
        assert client.put(f"{chat}/completion", headers=headers).status_code == 204
    for _ in range(2):
        assert client.delete(f"{chat}/completion", headers=headers).status_code == 204
    for is_resolved in (True, True, False, False):
        data = {"resolved": is_resolved}
        assert client.patch(incident, headers=headers, json=data).status_code == 200
    assert client.delete(chat, headers=headers).status_code == 204
    client.delete(chat, headers=headers)
    assert client.post("/api/v1/sync", headers=headers).status_code == 202
    assert client.post("/api/v1/sync", headers=headers).status_code == 409
    found = noted()
    assert [(each.action, each.object_id) for each in found] == [
        ("user.signed_in", str(ann.id)),
        ("session.completed", str(chat_id)),
        ("session.reopened", str(chat_id)),
        ("incident.resolved", str(incident_id)),
        ("incident.reopened", str(incident_id)),
        ("session.deleted", str(chat_id)),
        ("sync.started", None),
    ]
    assert {each.user_id for each in found} == {ann.id}
    assert found[0].details == {"by": "api"}
