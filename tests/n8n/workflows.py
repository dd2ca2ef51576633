"""The shipped workflows with what a person adds in N8n: credentials, addresses, steps of their own.

Nothing else of them is changed.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from bench.servers import ROOT

FOLDER = ROOT / "integrations" / "n8n"
#: Type of a credential → its id here.
CREDENTIALS = {
    "crypto": "testSecret000001",
    "openAiApi": "testModel0000001",
    "postgres": "testMemory000001",
    "httpHeaderAuth": "testApiKey000001",
    "httpBasicAuth": "testChatUser0001",
}
#: Type of a node → the credential a person chooses in it.
CHOSEN = {
    "n8n-nodes-base.crypto": "crypto",
    "@n8n/n8n-nodes-langchain.lmChatOpenAi": "openAiApi",
    "@n8n/n8n-nodes-langchain.memoryPostgresChat": "postgres",
    "n8n-nodes-base.httpRequest": "httpHeaderAuth",
}

Workflow = dict[str, Any]


def shipped(name: str, *, errors_to: str | None = None) -> Workflow:
    """`integrations/n8n/<name>.json`, its credentials chosen."""
    workflow: Workflow = json.loads((FOLDER / f"{name}.json").read_text())
    for node in workflow["nodes"]:
        if kind := CHOSEN.get(node["type"]):
            node["credentials"] = {kind: {"id": CREDENTIALS[kind], "name": kind}}
    if errors_to:
        workflow["settings"]["errorWorkflow"] = errors_to
    return workflow


def credential(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": CREDENTIALS[kind], "name": kind, "type": kind, "data": data}


def node(workflow: Workflow, name: str) -> Workflow:
    found: Workflow = next(node for node in workflow["nodes"] if node["name"] == name)
    return found


def with_step(workflow: Workflow, after: str, step: Workflow) -> Workflow:
    """The workflow with one more node behind `after`."""
    changed = copy.deepcopy(workflow)
    place = node(changed, after)["position"]
    changed["nodes"].append({**step, "position": [place[0] + 240, place[1]]})
    link = {"node": step["name"], "type": "main", "index": 0}
    changed["connections"][after] = {"main": [[link]]}
    return changed


def copied(workflow: Workflow, workflow_id: str, path: str) -> Workflow:
    """The same under another id, its webhook under another address."""
    changed = copy.deepcopy(workflow)
    changed["id"] = workflow_id
    for each in changed["nodes"]:
        if "webhookId" in each:
            each["webhookId"] = path
            if "path" in each["parameters"]:
                each["parameters"]["path"] = path
    return changed


def posts_to(url: str) -> Workflow:
    """A step that hands every lead on to an address."""
    return {
        "id": "test-hand-on",
        "name": "Hand it on",
        "type": "n8n-nodes-base.httpRequest",
        "typeVersion": 4.2,
        "parameters": {
            "method": "POST",
            "url": url,
            "sendBody": True,
            "specifyBody": "json",
            "jsonBody": "={{ JSON.stringify($json) }}",
            "options": {},
        },
    }


def stops(message: str) -> Workflow:
    """A step that fails."""
    return {
        "id": "test-stop",
        "name": "Write it into the sheet",
        "type": "n8n-nodes-base.stopAndError",
        "typeVersion": 1,
        "parameters": {"errorMessage": message},
    }


def structured(workflow: Workflow) -> Workflow:
    """The AI chat as `docs/n8n-chat.md` changes it for answers with fields, behind a password."""
    changed = copy.deepcopy(workflow)
    trigger = node(changed, "A visitor writes")
    trigger["parameters"]["authentication"] = "basicAuth"
    trigger["parameters"]["options"]["responseMode"] = "lastNode"
    trigger["credentials"] = {
        "httpBasicAuth": {"id": CREDENTIALS["httpBasicAuth"], "name": "httpBasicAuth"}
    }
    agent = node(changed, "The assistant")["parameters"]
    agent["hasOutputParser"] = True
    agent["options"]["enableStreaming"] = False
    changed["nodes"].append(
        {
            "id": "test-parser",
            "name": "Structured Output Parser",
            "type": "@n8n/n8n-nodes-langchain.outputParserStructured",
            "typeVersion": 1.3,
            "position": [700, 260],
            "parameters": {"schemaType": "manual", "inputSchema": _documented_schema()},
        }
    )
    link = {"node": "The assistant", "type": "ai_outputParser", "index": 0}
    changed["connections"]["Structured Output Parser"] = {"ai_outputParser": [[link]]}
    return changed


def _documented_schema() -> str:
    """The one on the page, so that the page is tried, too."""
    page = (ROOT / "docs" / "n8n-chat.md").read_text()
    return page.split("```json schema\n")[1].split("```")[0]
