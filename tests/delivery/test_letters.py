"""What a letter says, who may read it on its way, and that it arrives once."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from flask import Flask

from app.core import clock
from app.core.db import transaction
from app.delivery import letters, outbox, repeat
from app.delivery.claim import CLAIM_FOR
from app.delivery.letters import Letter
from app.delivery.send import drain
from bench.servers import ROOT, environment
from config import Settings
from tests.delivery.conftest import LINK, Outbox, write
from tests.factories import make_chat, make_lead
from tests.fakes.resend import KEY, Refusal, Resend

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


def test_a_letter_goes_to_the_ascii_form_of_a_mail_domain(resend: Resend) -> None:
    write("user.notice", "Hello", "ann@münchen.example", "bob@example.com")
    assert drain("email") == 1
    [mail] = resend.mails
    assert mail.payload["to"] == ["ann@xn--mnchen-3ya.example", "bob@example.com"]
