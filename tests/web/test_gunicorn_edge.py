"""What the product as gunicorn serves it believes of headers from outside, and what it refuses."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.db import db
from app.models.audit import AuditEntry
from bench import servers
from config import ROOT
from tests.web.signed_in import PASSWORD, make_user


@pytest.fixture(scope="module")
def port(database_url: str) -> Iterator[int]:
    """The product behind one proxy."""
    port = servers.free_port()
    env = servers.environment(database_url, port, TRUSTED_PROXIES="1", WEB_CONCURRENCY="1")
    with servers.gunicorn("wsgi", env):
        yield port


def send(port: int, method: str, path: str, *lines: str, body: str = "") -> tuple[int, str]:
    """Status and body; the header lines are sent as they are."""
    fields = ["Host: a", "Connection: close", f"Content-Length: {len(body)}", *lines]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *fields])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(f"{head}\r\n\r\n{body}".encode("latin-1"))
        with http.client.HTTPResponse(client) as response:
            response.begin()
            return response.status, response.read().decode()


def get(port: int, path: str, *lines: str) -> tuple[int, str]:
    return send(port, "GET", path, *lines)


PREFIXES = [
    "SCRIPT_NAME: /x",
    "Script_Name: /x",
    "Script-Name: /x",
    "X-Forwarded-Prefix: /x",
    "X-Script-Name: /x",
    "PATH_INFO: /healthz",
    "Path-Info: /healthz",
    "X-Original-URL: /healthz",
    "X-Rewrite-URL: /healthz",
    "HTTP_SCRIPT_NAME: /x",
    "Proxy-Script_Name: /x",
]


@pytest.mark.parametrize("line", PREFIXES)
def test_no_header_moves_a_path(port: int, line: str) -> None:
    assert get(port, "/x/healthz", line)[0] == 404
    assert get(port, "/healthz", line) == (200, '{"status":"ok"}\n')


def test_an_address_is_what_the_proxy_says_and_no_name_joined_to_it(
    database: Flask, port: int
) -> None:
    """gunicorn would join `X_Forwarded_For` to `X-Forwarded-For` if it let it through."""
    make_user("ann@example.com")
    status, _ = send(
        port,
        "POST",
        "/api/v1/auth/token",
        "Content-Type: application/json",
        "X-Forwarded-For: 203.0.113.8",
        "X-Forwarded-For: 198.51.100.4:4711",
        "X_Forwarded_For: 203.0.113.9",
        body=json.dumps({"email": "ann@example.com", "password": PASSWORD}),
    )
    assert status == 200
    assert db.session.scalars(select(AuditEntry.address)).all() == ["198.51.100.4"]


def test_no_address_is_made_from_what_a_request_says_of_our_host() -> None:
    """Links in emails and deliveries begin with PUBLIC_URL: a Host header leads nobody away."""
    of_request = re.compile(r"\brequest\.(host|host_url|url_root|root_url|base_url)\b|_external=")
    assert of_request.search("url_for('auth.sign_in', _external=True)")
    files = [*(ROOT / "app").rglob("*.py"), *(ROOT / "templates").rglob("*.html")]
    assert [file.name for file in files if of_request.search(file.read_text())] == []


def start(*command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    env = servers.environment("", 0, **{"APP_ENV": "production", "PORT": "1", **changes})
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    "command",
    [("-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"), ("serve.py",)],
    ids=["gunicorn", "make run"],
)
def test_production_does_not_serve_without_a_proxy_unless_told_to(command: tuple[str, ...]) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    refused = start(*command, DATABASE_URL=url)
    assert refused.returncode == 1
    assert refused.stdout + refused.stderr == (
        "TRUSTED_PROXIES is 0; in production a proxy must stand in front, which keeps slow and huge"
        " requests away and tells the callers' addresses. Say how many there are, or set"
        " PUBLIC_DIRECT=true to go without. Example: TRUSTED_PROXIES=1\n"
    )


@pytest.mark.parametrize("setting", [{"PUBLIC_DIRECT": "true"}, {"TRUSTED_PROXIES": "1"}])
def test_with_either_setting_it_goes_on_to_the_next_thing(setting: dict[str, str]) -> None:
    checked = start(
        "-c",
        "from config import Settings; Settings.load().check_web(); print('goes on')",
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        **setting,
    )
    assert checked.stdout == "goes on\n"


def test_worker_migrations_and_commands_need_no_proxy() -> None:
    listed = start(
        "-m",
        "flask",
        "--app",
        "wsgi",
        "--help",
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
    )
    assert listed.returncode == 0
    assert "TRUSTED_PROXIES" not in listed.stdout + listed.stderr
