"""Whatever can go wrong with a delivery has a sentence that needs no explanation."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from app.core import clock
from app.delivery.claim import UNSURE_ERRORS
from app.delivery.destinations import DESTINATIONS
from app.delivery.record import PAUSE_REASONS
from app.models import DeliveryAttempt
from app.models.delivery import DESTINATION_KINDS, STATUSES
from app.web.dashboard.deliveries.labels import attempted
from app.web.frame.labels import DELIVERY

APP = Path(__file__).parents[4] / "app"
#: Of an answer with a status nothing else is known of; the sentence is made from the number.
BY_STATUS = "status"


def named_kinds() -> set[str]:
    """Every kind of error that the code which sends can write down, read from the code itself."""
    found: set[str] = set()
    files = [*(APP / "core").glob("*.py"), *(APP / "delivery").glob("*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                found |= _kinds_of(node)
            # `error = "redirected" if … else "status"`
            if isinstance(node, ast.Assign) and file.name == "destinations.py":
                names = {each.id for each in node.targets if isinstance(each, ast.Name)}
                found |= _texts(node.value) if "error" in names else set()
    return found


def _kinds_of(call: ast.Call) -> set[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    found = {text for each in call.keywords if each.arg == "error" for text in _texts(each.value)}
    if name == "OutboundError" and call.args:
        found |= _texts(call.args[0])
    if name == "Outcome" and len(call.args) > 2:
        found |= _texts(call.args[2])
    return found


def _texts(node: ast.AST) -> set[str]:
    if isinstance(node, ast.IfExp):
        return _texts(node.body) | _texts(node.orelse)
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return {node.value} if is_text else set()  # type: ignore[attr-defined]


def test_the_kinds_are_found_where_they_are_made() -> None:
    kinds = named_kinds()
    assert kinds >= {"timeout", "refused", "closed", "tls", "gone", "redirected", "interrupted"}
    assert kinds >= {*UNSURE_ERRORS, *PAUSE_REASONS, BY_STATUS}


@pytest.mark.parametrize("kind", sorted(named_kinds() - {BY_STATUS}))
@pytest.mark.parametrize("destination", sorted(DESTINATIONS))
def test_every_kind_of_error_has_words_of_its_own(kind: str, destination: str) -> None:
    sentence = attempted(_attempt(error=kind), destination)
    assert not sentence.startswith("Could not send to"), kind  # what is said where nothing is known
    assert_plain(sentence, kind)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 413, 422, 429, 500, 502, 503])
def test_every_answer_has_words(status: int) -> None:
    sentence = attempted(_attempt(error=BY_STATUS, status_code=status), "n8n")
    assert_plain(sentence, BY_STATUS)
    assert f"({status})" in sentence


def test_every_state_and_destination_has_a_name() -> None:
    assert set(DELIVERY) == set(STATUSES)
    for kind in DESTINATION_KINDS:
        sentence = attempted(_attempt(error="timeout"), kind)
        assert_plain(sentence, kind if kind == "timeout" else "")


def assert_plain(sentence: str, kind: str) -> None:
    assert sentence[:1].isupper()
    assert "{" not in sentence
    if "_" in kind:
        assert kind not in sentence
    for word in ("webhook", "exception", "HTTP", "None", "payload"):
        assert word not in sentence


def _attempt(**values: object) -> DeliveryAttempt:
    return DeliveryAttempt(at=clock.now(), duration_ms=1, **values)
