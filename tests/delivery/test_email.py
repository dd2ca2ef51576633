"""Letters through the outbox, by Resend: each arrives once, whatever happens on the way."""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from app import delivery
from app.core import clock
from app.core.db import transaction
from app.delivery import repeat
from app.delivery.claim import CLAIM_FOR
from app.delivery.send import drain
from app.upkeep import doctor
from config import Settings
from tests.delivery.conftest import Outbox, write
from tests.fakes.n8n import N8n
from tests.fakes.resend import KEY, Refusal, Resend

SOON = timedelta(seconds=6)  # the first retry is due after 5 s and jitter


state = Outbox().state
errors = Outbox().errors


@pytest.mark.parametrize(
    ("refusal", "status", "error", "wait_seconds"),
    [
        (Refusal(429, "rate_limit_exceeded", {"retry-after": "40"}), "failed", "status", 40),
        (Refusal(429, "rate_limit_exceeded", {"ratelimit-reset": "30"}), "failed", "status", 30),
        (Refusal(429, "daily_quota_exceeded", {"retry-after": "1"}), "failed", "quota", 3600),
        (Refusal(429, "monthly_quota_exceeded"), "failed", "quota", 12 * 3600),
        (Refusal(409, "concurrent_idempotent_requests"), "failed", "still_sending", 4),
        (Refusal(500), "failed", "status", 4),
        (Refusal(404, "not_found"), "failed", "status", 4),
        (Refusal(manner="close"), "failed", "closed", 4),
    ],
)
def test_what_passes_is_tried_again_and_arrives_once(
    resend: Resend, refusal: Refusal, status: str, error: str, wait_seconds: int
) -> None:
    resend.behave(refusal)
    letter, begun = write(), clock.now()
    drain("email")
    found = state(letter)
    assert (found.status, errors(letter)) == (status, [error])
    assert found.next_attempt_at is not None
    wait = (found.next_attempt_at - begun).total_seconds()
    assert wait_seconds <= wait < wait_seconds * 1.4 + 1
    with clock.moved(timedelta(seconds=wait + 1)):
        drain("email")
    [mail] = resend.mails
    assert state(letter).remote_id == mail.id
    assert resend.requests == [str(letter)] * 2


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal(403, "invalid_api_key"), "key_refused"),
        (Refusal(401, "restricted_api_key"), "key_refused"),
        (Refusal(403, "validation_error"), "sender_refused"),
    ],
)
def test_what_needs_a_person_waits_for_one_and_leads_go_on(
    resend: Resend, n8n: N8n, mailing: Settings, refusal: Refusal, error: str
) -> None:
    outbox_of = Outbox()
    delivery.configure(replace(mailing, resend_api_url=resend.url, n8n_lead_webhook_url=n8n.url))
    resend.behave(refusal)
    first, second, lead = write(), write(), outbox_of.enqueue()
    assert (drain("email"), drain("n8n")) == (1, 1)
    assert errors(first) == [error]
    assert outbox_of.state(lead).status == "delivered"
    assert outbox_of.destination("n8n").paused_at is None
    paused = outbox_of.destination("email")
    assert paused.paused_at is not None
    assert "resume" in str(paused.pause_reason)
    with clock.moved(timedelta(days=2)):
        assert drain("email") == 0
        assert {each.count for each in doctor.examine(fix=False) if each.check == "jobs"} == {0}

    with transaction() as session:
        repeat.send_test(session, "email", "ann@example.com")
    assert drain("email") == 3  # the test's success resumes it
    assert {state(first).status, state(second).status} == {"delivered"}
    assert [mail.payload["subject"] for mail in resend.mails] == [
        "A test letter from Platform 5ive",
        "News",
        "News",
    ]


def test_a_letter_that_resend_does_not_take_is_given_up_and_the_next_goes(resend: Resend) -> None:
    resend.behave(Refusal(422, "validation_error"))
    refused, next_one = write(), write()
    assert drain("email") == 2
    assert (state(refused).status, errors(refused)) == ("dead", ["letter_refused"])
    assert KEY not in str(Outbox().attempts(refused)[0].answer)
    assert state(next_one).status == "delivered"


def test_a_letter_from_another_sender_meanwhile_is_left_to_a_person(
    resend: Resend, mailing: Settings
) -> None:
    resend.behave(Refusal(manner="close"))
    letter = write()
    drain("email")
    delivery.configure(replace(mailing, resend_api_url=resend.url, resend_from="new@example.com"))
    with clock.moved(SOON):
        drain("email")
    assert (state(letter).status, errors(letter)) == ("unknown", ["closed", "sent_differently"])
    assert len(resend.mails) == 1


@pytest.mark.parametrize("worker_died", [False, True])
def test_what_may_have_arrived_is_not_repeated_once_resend_forgot_it(
    resend: Resend, worker_died: bool
) -> None:
    resend.behave(Refusal(manner="close"))
    letter = write()
    drain("email")
    if worker_died:  # before it could note how that went
        claimed = {"token": uuid.uuid4(), "until": clock.now() + CLAIM_FOR, "id": letter}
        with transaction() as session:
            session.execute(text("DELETE FROM delivery_attempts"))
            session.execute(
                text(
                    "UPDATE deliveries SET claim_token = :token, claimed_until = :until,"
                    " status = 'pending', attempt_count = 0 WHERE id = :id"
                ),
                claimed,
            )
    resend.forget_keys()
    with clock.moved(timedelta(hours=24)):
        assert drain("email") == 0
        assert state(letter).status == "unknown"
        assert len(resend.mails) == 1
        with transaction() as session:
            assert repeat.send_again(session, [letter]) == [letter]
        assert drain("email") == 1  # a person decided
    assert len(resend.mails) == 2
    assert state(letter).status == "delivered"


def test_what_cannot_have_arrived_is_repeated_however_late(resend: Resend) -> None:
    resend.behave(Refusal(429, "daily_quota_exceeded"))
    letter = write()
    drain("email")
    with clock.moved(timedelta(hours=30)):
        assert drain("email") == 1
    assert state(letter).status == "delivered"


def test_a_failing_mail_service_is_left_alone(resend: Resend) -> None:
    resend.behave(*[Refusal(500)] * 40)
    for _ in range(15):
        write()
    drain("email")
    assert len(resend.requests) == 10
    assert Outbox().destination("email").blocked_until is not None


def test_letters_go_one_at_a_time_four_a_second_and_none_is_forgotten(
    resend: Resend, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.delivery.destinations.LETTER_SECONDS", 0.1)
    for _ in range(6):
        write()
    begun = time.monotonic()

    def work() -> None:
        with app.app_context():
            drain("email")

    threads = [threading.Thread(target=contextvars.Context().run, args=(work,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (resend.most_at_once, len(resend.mails)) == (1, 6)
    assert time.monotonic() - begun >= 0.6
