from __future__ import annotations

import dataclasses
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.accounts import two_factor, users
from app.accounts.permissions import ADMIN_SCOPES, AGENT_SCOPES
from app.cli import setup
from app.core.db import transaction
from app.core.errors import Conflict, Invalid, NotFound
from config import ConfigError
from tests.accounts.authenticator import code_of


def test_a_password_is_kept_as_scrypt_and_verified(session: Session) -> None:
    made = users.create(session, email=" Ann@Example.com ", role="agent", password="correct horse")
    assert made.user.email == "ann@example.com"
    assert made.user.password_hash.startswith("scrypt:")
    assert users.verify(session, "ANN@example.com", "correct horse") is made.user
    assert users.verify(session, "ann@example.com", "correct horses") is None
    assert users.verify(session, "nobody@example.com", "correct horse") is None


def test_a_hash_costs_what_werkzeug_thinks_right() -> None:
    """In a process of its own: the other tests have cheap ones."""
    code = "from app.accounts.passwords import hash_password as h; print(h('correct horse'))"
    stored = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert stored.startswith("scrypt:32768:8:1$")


def test_without_a_password_one_is_generated(session: Session) -> None:
    made = users.create(session, email="ann@example.com", role="admin")
    assert len(made.password) >= 16
    assert users.verify(session, "ann@example.com", made.password) is made.user


def test_who_is_not_active_cannot_sign_in(session: Session) -> None:
    made = users.create(session, email="ann@example.com", role="agent", password="correct horse")
    made.user.is_active = False
    assert users.verify(session, "ann@example.com", "correct horse") is None


def test_an_email_is_taken_once(session: Session) -> None:
    users.create(session, email="ann@example.com", role="agent")
    with pytest.raises(Conflict):
        users.create(session, email="ANN@example.com", role="admin")
    assert users.find(session, "ann@example.com") is not None


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", {"email": "not an address"}),
        ("email", {"email": "a\x00b@example.com"}),
        ("role", {"role": "owner"}),
        ("password", {"password": "short"}),
        ("password", {"password": "x" * 501}),
    ],
)
def test_wrong_values_are_refused_by_field(
    session: Session, field: str, values: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        users.create(session, **{"email": "ann@example.com", "role": "agent", **values})
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "a\x00@example.com", ""])
def test_odd_characters_are_only_wrong(session: Session, odd: str) -> None:
    users.create(session, email="ann@example.com", role="agent", password="correct horse")
    assert users.verify(session, odd, "correct horse") is None
    assert users.verify(session, "ann@example.com", odd) is None


def test_a_new_password_ends_every_sign_in(session: Session) -> None:
    made = users.create(session, email="ann@example.com", role="agent", password="correct horse")
    changed = users.reset_password(session, "ann@example.com")
    assert made.user.token_version == 1
    assert users.verify(session, "ann@example.com", "correct horse") is None
    assert users.verify(session, "ann@example.com", changed.password) is made.user
    with pytest.raises(NotFound):
        users.reset_password(session, "nobody@example.com")


def test_an_unknown_user_takes_as_long_as_a_known_one(session: Session) -> None:
    users.create(session, email="ann@example.com", role="agent", password="correct horse")

    def median(email: str) -> float:
        return statistics.median(
            _seconds(lambda: users.verify(session, email, "x")) for _ in "12345"
        )

    known, unknown = median("ann@example.com"), median("nobody@example.com")
    assert 0.5 < unknown / known < 2


def test_an_admin_may_all_an_agent_may_and_more() -> None:
    assert AGENT_SCOPES < ADMIN_SCOPES
    assert {"sessions:delete", "users:write", "sync:run"} <= ADMIN_SCOPES - AGENT_SCOPES


def test_the_command_makes_a_user_and_prints_its_password_once(database: Flask) -> None:
    run = database.test_cli_runner().invoke
    made = run(args=["users", "create", "--email", "ann@example.com", "--role", "agent"])
    assert made.exit_code == 0, made.output
    assert "Password: " in made.output
    again = run(args=["users", "create", "--email", "ann@example.com", "--role", "agent"])
    assert again.exit_code == 1
    assert "already a user" in again.output
    given = run(args=["users", "reset-password", "--email", "ann@example.com", "--password", "correct horse"])  # fmt: skip  # noqa: E501
    assert given.exit_code == 0
    assert "correct horse" not in given.output
    refused = run(args=["users", "reset-password", "--email", "ann@example.com", "--password", "x"])
    assert "at least 8" in refused.output


def test_the_command_lets_in_who_lost_the_authenticator_app(database: Flask) -> None:
    with transaction() as session:
        user = users.create(session, email="ann@example.com", role="admin").user
        two_factor.set_up(user)
        two_factor.enable(session, user, code_of(user))
    run = database.test_cli_runner().invoke
    assert run(args=["users", "end-two-factor", "--email", "ann@example.com"]).exit_code == 0
    again = run(args=["users", "end-two-factor", "--email", "ann@example.com"])
    assert "off already" in again.output
    unknown = run(args=["users", "end-two-factor", "--email", "nobody@example.com"])
    assert (unknown.exit_code, "no user" in unknown.output) == (1, True)


def test_the_first_admin_may_not_have_a_password_that_everybody_uses(
    database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = database.extensions["settings"]
    for password in ("password1", "a-long-sentence-you-remember"):
        changed = dataclasses.replace(settings, admin_password=password)
        monkeypatch.setitem(database.extensions, "settings", changed)
        if password == "password1":
            with pytest.raises(ConfigError, match="ADMIN_PASSWORD was refused"):
                setup.prepare(database)
        else:
            assert setup.prepare(database).admin_email == "admin@example.com"


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
