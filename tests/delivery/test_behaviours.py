"""N8n misbehaves in every way we know, then is well again: the lead arrives, under one id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.db import transaction
from app.delivery import repeat
from app.delivery.health import resume
from app.delivery.send import drain
from tests.delivery.conftest import AUTH, SECRET, Outbox
from tests.fakes.n8n import Behaviour, N8n

LATER = timedelta(seconds=6)  # the first retry is due after 5 s and jitter


def test_a_lead_arrives_signed_and_with_the_auth_header(outbox_of: Outbox, n8n: N8n) -> None:
    delivery = outbox_of.enqueue()

    assert drain("n8n") == 1

    [request] = n8n.received
    assert request.is_verified
    assert request.webhook_id == str(delivery)
    assert request.headers["x-bridge"] == AUTH
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "Platform5ive/1"
    assert request.body.decode() == outbox_of.state(delivery).body
    state = outbox_of.state(delivery)
    assert (state.status, state.attempt_count, state.next_attempt_at) == ("delivered", 1, None)
    assert state.finished_at is not None
    assert state.claim_token is None
    [attempt] = outbox_of.attempts(delivery)
    assert (attempt.status_code, attempt.error) == (200, None)
    assert attempt.answer == '{"message":"Workflow was started"}'


@pytest.mark.parametrize(
    ("behaviour", "status_code", "error"),
    [
        (500, 500, "status"),
        (404, 404, "status"),
        (503, 503, "status"),
        (302, 302, "redirected"),
        ("garbage", None, "garbage"),
        ("close", None, "closed"),
        ("half", None, "closed"),
    ],
)
def test_after_a_failure_it_is_tried_again_and_arrives(
    outbox_of: Outbox, n8n: N8n, behaviour: int | str, status_code: int | None, error: str
) -> None:
    n8n.behave(behaviour)
    delivery = outbox_of.enqueue()
    begun = clock.now()

    assert drain("n8n") == 1

    state = outbox_of.state(delivery)
    assert (state.status, state.attempt_count) == ("failed", 1)
    assert state.claim_token is None
    assert state.next_attempt_at is not None
    assert 4.5 <= (state.next_attempt_at - begun).total_seconds() <= 6.5
    [attempt] = outbox_of.attempts(delivery)
    assert (attempt.status_code, attempt.error) == (status_code, error)
    assert outbox_of.destination().consecutive_failures == 1
    assert drain("n8n") == 0  # not before its time

    with clock.moved(LATER):
        assert drain("n8n") == 1

    state = outbox_of.state(delivery)
    assert (state.status, state.attempt_count) == ("delivered", 2)
    assert outbox_of.errors(delivery) == [error, None]
    assert set(n8n.ids) == {str(delivery)}
    assert all(request.is_verified for request in n8n.received)
    assert outbox_of.destination().consecutive_failures == 0


def test_a_refused_connection_is_tried_again(outbox_of: Outbox, n8n: N8n) -> None:
    delivery = outbox_of.enqueue()
    n8n.refuse()
    drain("n8n")
    assert outbox_of.state(delivery).status == "failed"
    assert outbox_of.errors(delivery) == ["refused"]

    n8n.listen()
    with clock.moved(LATER):
        drain("n8n")

    assert outbox_of.state(delivery).status == "delivered"
    assert n8n.ids == [str(delivery)]


@pytest.mark.parametrize("behaviour", ["hang", "drip"])
def test_a_receiver_that_does_not_finish_is_left_in_time(
    outbox_of: Outbox, n8n: N8n, behaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gateways.n8n.TOTAL_SECONDS", 1.0)
    n8n.behave(behaviour)
    delivery = outbox_of.enqueue()

    drain("n8n")

    [attempt] = outbox_of.attempts(delivery)
    assert attempt.error == "timeout"
    assert 900 <= attempt.duration_ms <= 1500
    n8n.release()
    with clock.moved(LATER):
        drain("n8n")
    assert outbox_of.state(delivery).status == "delivered"
    assert n8n.ids == [str(delivery)] * 2


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(outbox_of: Outbox, n8n: N8n, status: int) -> None:
    n8n.behave(Behaviour(status, {"Retry-After": "90"}))
    delivery = outbox_of.enqueue()
    begun = clock.now()

    drain("n8n")

    state = outbox_of.state(delivery)
    assert state.status == "failed"
    assert state.next_attempt_at is not None
    assert 90 <= (state.next_attempt_at - begun).total_seconds() < 92
    with clock.moved(timedelta(seconds=60)):
        assert drain("n8n") == 0
    with clock.moved(timedelta(seconds=92)):
        assert drain("n8n") == 1
    assert outbox_of.state(delivery).status == "delivered"


def test_410_pauses_the_destination_until_somebody_resumes_it(outbox_of: Outbox, n8n: N8n) -> None:
    n8n.always(410)
    first, second = outbox_of.enqueue(), outbox_of.enqueue()

    assert drain("n8n") == 1

    assert outbox_of.destination().paused_at is not None
    assert outbox_of.destination().pause_reason
    state = outbox_of.state(first)
    assert (state.status, state.attempt_count, state.next_attempt_at) == ("failed", 0, None)
    assert outbox_of.errors(first) == ["gone"]
    assert outbox_of.state(second).status == "pending"
    with clock.moved(timedelta(days=5)):
        assert drain("n8n") == 0  # however long it takes

    n8n.always(200)
    with transaction() as session:
        assert resume(session, "n8n") == 2
    assert drain("n8n") == 2

    assert outbox_of.destination().paused_at is None
    assert {outbox_of.state(first).status, outbox_of.state(second).status} == {"delivered"}
    assert n8n.ids == [str(first), str(first), str(second)]


def test_a_test_goes_to_a_paused_destination_and_its_success_resumes_it(
    outbox_of: Outbox, n8n: N8n
) -> None:
    n8n.always(410)
    waiting = outbox_of.enqueue()
    drain("n8n")

    with transaction() as session:
        failing = repeat.send_test(session, "n8n")
    assert drain("n8n") == 1
    assert outbox_of.state(failing).status == "dead"  # a test is tried once
    assert outbox_of.destination().paused_at is not None

    n8n.always(200)
    with transaction() as session:
        test = repeat.send_test(session, "n8n")
    assert drain("n8n") == 2

    assert outbox_of.state(test).status == "delivered"
    assert outbox_of.state(waiting).status == "delivered"
    assert n8n.received[-2].event["type"] == "lead.test"
    assert n8n.received[-2].event["data"].keys() >= {"lead", "session", "attribution"}


def test_an_answer_is_kept_short_and_without_our_secrets(outbox_of: Outbox, n8n: N8n) -> None:
    echo = f"\x00\x1b[31m{AUTH} {SECRET} {SECRET.removeprefix('whsec_')} ".encode()
    n8n.behave(Behaviour(500, {}, echo + b"\xff" + b"x" * 100_000))
    delivery = outbox_of.enqueue()

    drain("n8n")

    [attempt] = outbox_of.attempts(delivery)
    assert attempt.answer is not None
    assert attempt.answer.startswith("[31m[secret] [secret] [secret] ")
    assert len(attempt.answer.encode()) <= 2048


def test_an_endless_answer_is_not_read_to_its_end(outbox_of: Outbox, n8n: N8n) -> None:
    n8n.behave("endless")
    delivery = outbox_of.enqueue()

    drain("n8n")
    n8n.release()

    assert outbox_of.state(delivery).status == "delivered"
    assert outbox_of.attempts(delivery)[0].duration_ms < 2000
