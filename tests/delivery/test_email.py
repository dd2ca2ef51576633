"""Letters through the outbox, by Resend: each arrives once, whatever happens on the way."""

from __future__ import annotations

import contextvars
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from app import delivery
from app.core import clock
from app.core.db import transaction
from app.delivery import letters, outbox, repeat
from app.delivery.claim import CLAIM_FOR
from app.delivery.letters import Letter
from app.delivery.send import drain
from app.upkeep import doctor
from bench.servers import ROOT, environment
from config import Settings
from tests.delivery.conftest import Outbox
from tests.factories import make_chat, make_lead
from tests.fakes.n8n import N8n
from tests.fakes.resend import KEY, Refusal, Resend, running_resend

SOON = timedelta(seconds=6)  # the first retry is due after 5 s and jitter
LINK = "https://chat.example.com/invitations/a-secret-way-in"


@pytest.fixture
def mailing(settings: Settings) -> Settings:
    sender = "5ive <chat@example.com>"
    return replace(settings, resend_api_key=KEY, resend_from=sender)


@pytest.fixture
def resend(
    database: Flask, mailing: Settings, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Resend]:
    """Resend runs, and letters go there as fast as they can."""
    monkeypatch.setattr("app.delivery.destinations.LETTER_SECONDS", 0.0)
    with running_resend() as fake:
        delivery.configure(replace(mailing, resend_api_url=fake.url))
        yield fake
        delivery.configure(settings)


def write(event: str = "user.notice", subject: str = "News", *to: str) -> uuid.UUID:
    with transaction() as session:
        letter = Letter(to or ["ann@example.com"], subject, "test", {"link": LINK})
        return letters.enqueue(session, event, letter)


state = Outbox().state
errors = Outbox().errors


def test_a_letter_arrives_as_it_was_written(resend: Resend) -> None:
    many = [f"reader-{number}@example.com" for number in range(60)]
    letter = write("user.notice", "An issue\r\nBcc: eve@example.com \u2028in <b>", *many, many[0])
    assert drain("email") == 1
    [mail] = resend.mails
    assert mail.key == str(letter)
    assert mail.payload["from"] == "5ive <chat@example.com>"
    assert mail.payload["to"] == many[:50]
    assert mail.payload["subject"] == "An issue Bcc: eve@example.com in <b>"
    assert LINK in mail.payload["text"]
    assert f'href="{LINK}"' in mail.payload["html"]
    assert "in &lt;b&gt;" in mail.payload["html"]
    assert (state(letter).status, state(letter).remote_id) == ("delivered", mail.id)


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


def test_a_way_in_is_sealed_until_it_is_sent_and_then_gone(
    resend: Resend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    resend.behave(Refusal(422, "validation_error"))
    letter = write("user.invited")
    kept = json.loads(state(letter).body)
    assert LINK not in str(kept)
    assert kept["data"].keys() == {"to", "subject", "sealed"}
    drain("email")
    assert json.loads(state(letter).body) == kept  # it can be sent again
    with transaction() as session:
        repeat.send_again(session, [letter])
    drain("email")
    [mail] = resend.mails
    assert LINK in mail.payload["text"]
    assert LINK in mail.payload["html"]
    assert "sealed" not in mail.payload
    assert json.loads(state(letter).body)["data"].keys() == {"to", "subject"}
    assert LINK not in caplog.text


def test_without_resend_a_letter_is_printed(
    database: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = write("user.reset", "Your new password")
    assert drain("console") == 1
    printed = capsys.readouterr().out
    assert "To: ann@example.com\nSubject: Your new password\n\nThis is a test letter." in printed
    assert LINK in printed
    assert LINK not in state(letter).body


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


def test_opening_a_session_again_withdraws_its_leads_and_no_letter(resend: Resend) -> None:
    with transaction() as session:
        chat = make_chat(session)
        make_lead(session, chat)
        letter = Letter(["dev@example.com"], "An issue", "test", {"link": LINK})
        about = letters.enqueue(session, "qa.issue", letter, session_id=chat.id)
        assert outbox.withdraw(session, chat.id) == 0
    drain("email")
    assert state(about).status == "delivered"


def test_a_letter_arrives_once_though_its_worker_is_killed(
    resend: Resend, mailing: Settings
) -> None:
    resend.behave(Refusal(manner="hang"))
    letter = write("user.invited")
    worker = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "worker"],
        cwd=ROOT,
        env=environment(
            mailing.libpq_url,
            8000,
            SECRET_KEY=mailing.secret_keys[0],
            RESEND_API_KEY=KEY,
            RESEND_FROM=mailing.resend_from,
            RESEND_API_URL=resend.url,
        ),
    )
    try:
        resend.wait_for(1)
    finally:
        worker.kill()
        worker.wait()
    assert state(letter).claim_token is not None
    with clock.moved(CLAIM_FOR + timedelta(seconds=1)):
        assert drain("email") == 1

    [mail] = resend.mails
    assert (state(letter).status, state(letter).remote_id) == ("delivered", mail.id)
    assert errors(letter) == ["interrupted", None]
    assert resend.requests == [str(letter)] * 2
