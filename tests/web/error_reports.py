"""Reports of N8n's Error Trigger, and how they are posted and listed."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import api_keys
from app.core.db import transaction

#: What the Error Trigger of N8n 2.41.1 gives, recorded.
BODY: dict[str, Any] = {
    "execution": {
        "id": "7",
        "url": "http://127.0.0.1:5678/workflow/aBcDeFgHiJkLmN12/executions/7",
        "retryOf": None,
        "error": {
            "level": "warning",
            "name": "NodeOperationError",
            "timestamp": 1795340341962,
            "message": "Could not mail ann@example.com",
            "stack": "NodeOperationError: Could not mail ann@example.com\n    at /usr/secret.js:1",
            "description": "Ann Lee has no address",
            "context": {},
            "functionality": "regular",
            "tags": {},
            "messages": [],
            "shouldReport": True,
            "node": {
                "id": "0b3a2f3e-7f0e-4d9b-a5b4-1d4b9a3a2c11",
                "name": "Send mail",
                "type": "n8n-nodes-base.stopAndError",
                "typeVersion": 1,
                "position": [220, 0],
                "parameters": {"apiKey": "open-sesame", "to": "Ann Lee, 020 7946 0958"},
            },
        },
        "lastNodeExecuted": "Send mail",
        "mode": "webhook",
        "executionContext": {"version": 1, "source": "webhook", "triggerNode": {"name": "Hook"}},
    },
    "workflow": {"id": "aBcDeFgHiJkLmN12", "name": "Lead intake"},
}
#: What the editor sends when a step is tried out.
SAMPLE = {
    "execution": {
        "id": 231,
        "url": "https://n8n.example.com/execution/231",
        "retryOf": "34",
        "error": {"message": "Example Error Message", "stack": "Stacktrace"},
        "lastNodeExecuted": "Node With Error",
        "mode": "manual",
    },
    "workflow": {"id": "1", "name": "Example Workflow"},
}
#: A workflow whose trigger could not be switched on: there is no run.
NEVER_BEGAN = {
    "trigger": {
        "error": {
            "name": "WorkflowActivationError",
            "message": "There was a problem activating the workflow",
            "timestamp": 1795340341000,
            "context": {},
            "cause": {"message": "401", "stack": "…"},
            "node": {"name": "On new mail", "type": "n8n-nodes-base.emailReadImap"},
        },
        "mode": "trigger",
    },
    "workflow": {"id": "W9", "name": "Mailbox"},
}


def made_key(
    site_key: str | None = None, scopes: tuple[str, ...] = ("errors:write", "errors:read")
) -> dict[str, str]:
    """The header of a new API key."""
    with transaction() as session:
        made = api_keys.create(session, name="N8n", scopes=scopes, site_key=site_key)
    return {"X-API-Key": made.plain}


def changed(**values: Any) -> dict[str, Any]:
    """BODY with other values; `a__b` is the `b` of its `a`, and `None` takes it out."""
    body: dict[str, Any] = json.loads(json.dumps(BODY))
    for path, value in values.items():
        *way, last = path.split("__")
        part = body
        for step in way:
            part = part[step]
        if value is None:
            del part[last]
        else:
            part[last] = value
    return body


def post(client: FlaskClient, headers: dict[str, str], body: Any = BODY) -> TestResponse:
    return client.post("/api/v1/errors", json=body, headers=headers)


def posted(client: FlaskClient, headers: dict[str, str], body: Any = BODY) -> dict[str, Any]:
    answer = post(client, headers, body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


def listed(client: FlaskClient, headers: dict[str, str], query: str = "") -> list[Any]:
    answer = client.get(f"/api/v1/errors{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]  # type: ignore[index,no-any-return]
