"""The whole product beside a real N8n that runs the shipped workflows, on one database."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg

from app.core import http
from app.gateways.n8n import WebhookSecret, new_webhook_secret
from bench import servers
from bench.setup import EMAIL, PASSWORD, prepare_database
from tests.fakes.chat_completions import ChatCompletions, running_chat_completions
from tests.fakes.n8n import N8n as Taker
from tests.fakes.n8n import running_n8n as running_taker
from tests.n8n import workflows
from tests.n8n.server import N8n
from tests.n8n.visitor import WidgetChat

LEADS = "/webhook/lead-intake"
FAILING_LEADS = "/webhook/failing-lead-intake"
ERRORS = "p5ErrorReport001"
STRUCTURED_CHAT = "structured-chat"
CHAT_USER, CHAT_PASSWORD = "platform5ive", "a password for the chat"

#: Whether every row of N8n's memory has been read and judged.
IS_READ = """
    SELECT (SELECT max(high_row) FROM memory_sources) >= (SELECT max(id) FROM n8n_chat_histories)
       AND NOT EXISTS (SELECT FROM memory_gaps)
       AND NOT EXISTS (SELECT FROM messages WHERE NOT is_checked)
"""
#: A session's lines in order; given its id twice, ours or N8n's.
LINES = """
    SELECT m.role, m.text FROM messages m JOIN chat_sessions s ON s.id = m.session_id
     WHERE s.id::text = %s OR s.external_session_id = %s ORDER BY m.created_at, m.id
"""


@dataclass
class House:
    """`taker` is what a customer connected behind the lead intake: a CRM, say.

    For the report: `kept`, each promise with how often it was tested, and `megabytes` of N8n.
    """

    n8n: N8n
    model: ChatCompletions
    taker: Taker
    secret: WebhookSecret
    database_url: str
    port: int
    env: dict[str, str]
    kept: list[tuple[str, int]] = field(default_factory=list)
    megabytes: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def query(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(statement, arguments).fetchall()  # type: ignore[arg-type]

    def show(self, promise: str, tested: int = 1) -> None:
        """Note for the report that a promise was kept."""
        self.kept.append((promise, tested))

    def api(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The JSON our own API answers with; anything but success fails."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        answer = http.send(
            method,
            f"{self.url}{path}",
            body=json.dumps(body).encode() if body is not None else None,
            headers=headers,
            connect_seconds=5,
            total_seconds=60,
        )
        assert 200 <= answer.status < 300, answer
        return json.loads(answer.body)

    def chat(self, site: str = "demo") -> WidgetChat:
        """A visitor opens the widget."""
        return WidgetChat(self, site)

    def token(self) -> str:
        credentials = {"email": EMAIL, "password": PASSWORD}
        return str(self.api("POST", "/api/v1/auth/token", credentials)["access_token"])

    def flask(self, *arguments: str) -> str:
        """What a `flask` command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=servers.ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def house(folder: Path) -> Iterator[House]:
    with ExitStack() as stack:
        database_url = stack.enter_context(servers.fresh_database())
        prepare_database(database_url)
        model = stack.enter_context(running_chat_completions())
        taker = stack.enter_context(running_taker())
        n8n = N8n(folder)
        secret = new_webhook_secret()
        port = servers.free_port()
        env = servers.environment(
            database_url,
            port,
            PYTHONUNBUFFERED="1",
            N8N_LEAD_WEBHOOK_URL=n8n.url + LEADS,
            N8N_WEBHOOK_SECRET=secret.ours,
            N8N_CHAT_URL=n8n.url + chat_path(),
            OUTBOUND_ALLOW="127.0.0.0/8",
        )
        place = House(n8n, model, taker, secret, database_url, port, env)
        place.flask("sites", "set", "demo", "assistant=n8n")
        place.flask("sites", "create", "structured")
        place.flask("sites", "set", "structured", "assistant=n8n", *_own_chat(n8n))
        api_key = place.flask("keys", "create", "--name", "N8n", "--scopes", "errors:write")
        n8n.load(_workflows(place), _credentials(place, api_key))
        webhooks = [LEADS, FAILING_LEADS, chat_path(), f"/webhook/{STRUCTURED_CHAT}/chat"]
        stack.enter_context(n8n.running(webhooks))
        stack.enter_context(servers.running([sys.executable, "serve.py"], env))
        servers.wait_until_open(port)
        place.megabytes["after its start"] = n8n.megabytes()
        yield place
        place.megabytes["at the end"] = n8n.megabytes()


def chat_path() -> str:
    trigger = workflows.node(workflows.shipped("ai-chat"), "A visitor writes")
    return f"/webhook/{trigger['webhookId']}/chat"


def _own_chat(n8n: N8n) -> tuple[str, ...]:
    """A site with a chat of its own, behind a user name and a password."""
    return (
        f"chat_url={n8n.url}/webhook/{STRUCTURED_CHAT}/chat",
        "chat_access=basic",
        f"chat_user={CHAT_USER}",
        f"chat_password={CHAT_PASSWORD}",
    )


def _workflows(place: House) -> list[workflows.Workflow]:
    errors = workflows.shipped("error-reporting")
    workflows.node(errors, "Tell Platform 5ive")["parameters"]["url"] = f"{place.url}/api/v1/errors"
    intake = workflows.shipped("lead-intake", errors_to=ERRORS)
    handing_on = workflows.posts_to(place.taker.url)
    failing = workflows.copied(intake, "testFailing00001", "failing-lead-intake")
    failing["name"] = "Leads into the sheet"
    failure = "={{ 'No access to the sheet for ' + $json.email + ' and ' + $json.phone }}"
    chat = workflows.shipped("ai-chat", errors_to=ERRORS)
    return [
        errors,
        workflows.with_step(intake, "Your steps go here", handing_on),
        workflows.with_step(failing, "Your steps go here", workflows.stops(failure)),
        chat,
        workflows.structured(workflows.copied(chat, "testStructured01", STRUCTURED_CHAT)),
    ]


def _credentials(place: House, api_key: str) -> list[dict[str, Any]]:
    return [
        workflows.credential("crypto", {"hmacSecret": place.secret.for_n8n}),
        workflows.credential("openAiApi", {"apiKey": "sk-played", "url": place.model.url}),
        workflows.credential("httpHeaderAuth", {"name": "X-API-Key", "value": api_key}),
        workflows.credential("httpBasicAuth", {"user": CHAT_USER, "password": CHAT_PASSWORD}),
        workflows.credential("postgres", postgres_at(place.database_url)),
    ]


def postgres_at(url: str) -> dict[str, Any]:
    """An address in the form of N8n's credential. A folder as host is a Unix socket."""
    parts = urlsplit(url)
    hosts = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])
    return {
        "host": hosts[0],
        "port": parts.port or 5432,
        "database": parts.path.strip("/"),
        "user": parts.username or "postgres",
        "password": parts.password or "",
        "ssl": "disable",
        "maxConnections": 20,
    }
