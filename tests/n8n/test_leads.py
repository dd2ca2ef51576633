"""The lead intake: our own deliveries, each checked and taken once."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from app.core import clock
from app.core.http import Answer
from app.gateways.n8n import LeadWebhook, new_webhook_secret
from tests.n8n.conftest import until
from tests.n8n.house import LEADS, House

AT_ONCE = 20
BODY = json.dumps(
    {
        "type": "lead.test",
        "data": {"lead": {"id": "1", "name": "Zoë 😀", "email": "z@example.com"}},
    },
    ensure_ascii=False,
    separators=(",", ":"),
)
#: A run that is still at work would have handed its lead on by then.
QUIET_SECONDS = 3


def webhook(house: House, *secrets: str) -> LeadWebhook:
    return LeadWebhook(house.n8n.url + LEADS, secrets or (house.secret.ours,))


def send(house: House, webhook_id: str) -> Answer:
    return webhook(house).post(webhook_id, BODY, clock.now())


def test_a_booking_here_reaches_the_step_behind_the_intake_once(taken: House) -> None:
    said = [
        ("assistant", "Hello! What is your name?"),
        ("visitor", "I'm Ann Lee, ann@example.com, 020 7946 0958"),
        ("assistant", "Thank you, Ann. We will contact you within 24 hours."),
    ]
    lines = [
        {"external_id": str(number), "role": role, "text": text}
        for number, (role, text) in enumerate(said)
    ]
    conversation = {
        "channel": "api",
        "site": "demo",
        "external_session_id": "outside-1",
        "messages": lines,
    }
    stored = taken.api("POST", "/api/v1/messages", conversation, taken.token())
    assert stored["completion_status"] == "completed"
    taken.taker.wait_for(1, within_seconds=60)
    [lead] = [request.event for request in taken.taker.received]
    assert lead["event"] == "lead.completed"
    assert (lead["name"], lead["email"], lead["phone"]) == (
        "Ann Lee",
        "ann@example.com",
        "+442079460958",
    )
    assert lead["conversation"].splitlines() == [f"{role}: {text}" for role, text in said]
    until(lambda: _statuses(taken) == [("delivered",)])
    taken.show("a booking here is delivered, and handed on with its fields laid out")


def _statuses(house: House) -> list[tuple[str, ...]]:
    return house.query(
        "SELECT DISTINCT d.status FROM deliveries d JOIN chat_sessions s ON s.id = d.session_id"
        " WHERE s.external_session_id = 'outside-1'"
    )


def test_of_many_at_once_with_one_number_exactly_one_is_handed_on(taken: House) -> None:
    for _ in range(3):
        webhook_id = send_at_once(taken.n8n.url, taken.secret.ours)
        assert send(taken, webhook_id).status == 200
    time.sleep(QUIET_SECONDS)
    assert len(taken.taker.received) == 3
    taken.show("of twenty at once with the same webhook-id one is handed on", 3 * AT_ONCE)


def send_at_once(n8n_url: str, secret: str) -> str:
    """The same delivery many times at once: one is taken in, the others are repeats or have to
    come back. Gives its id.
    """
    webhook_id = str(uuid.uuid4())
    webhook = LeadWebhook(n8n_url + LEADS, (secret,))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(
            pool.map(lambda _: webhook.post(webhook_id, BODY, clock.now()), range(AT_ONCE))
        )
    assert {answer.status for answer in answers} <= {200, 503}
    assert [answer.body for answer in answers].count(b'{"message":"Taken in."}') == 1
    return webhook_id


def test_a_repeat_is_thanked_and_not_handed_on(taken: House) -> None:
    for _ in range(3):
        assert send(taken, "repeated").status == 200
    time.sleep(QUIET_SECONDS)
    assert len(taken.taker.received) == 1
    taken.show("a repeat is answered 200 and not handed on", 2)


def test_different_leads_are_all_handed_on(taken: House) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda n: send(taken, f"many-{n}"), range(AT_ONCE)))
    assert {answer.status for answer in answers} == {200}
    taken.taker.wait_for(AT_ONCE, within_seconds=60)
    taken.show("different leads are all handed on", AT_ONCE)


def test_either_of_two_signatures_is_enough(taken: House) -> None:
    rotating = webhook(taken, new_webhook_secret().ours, taken.secret.ours)
    assert rotating.post("rotating", BODY, clock.now()).status == 200
    taken.taker.wait_for(1, within_seconds=60)
    taken.show("while secrets are changed, one of two signatures is enough")


def test_what_is_not_signed_rightly_is_refused_and_not_handed_on(taken: House) -> None:
    now = clock.now()
    right = webhook(taken).headers("refused", BODY, now)
    tries = [
        (webhook(taken, new_webhook_secret().ours).headers("refused", BODY, now), BODY),
        (right, BODY.replace("Zoë", "Eve")),
        (right, f"{BODY} "),
        ({**right, "webhook-id": "another"}, BODY),
        ({**right, "webhook-timestamp": str(int(right["webhook-timestamp"]) + 1)}, BODY),
        ({**right, "webhook-signature": "v1,"}, BODY),
        ({**right, "webhook-signature": ""}, BODY),
        ({**right, "webhook-signature": right["webhook-signature"].replace("v1,", "v2,")}, BODY),
        (webhook(taken).headers("refused", BODY, now - timedelta(minutes=6)), BODY),
        (webhook(taken).headers("refused", BODY, now + timedelta(minutes=6)), BODY),
        ({"Content-Type": "application/json"}, BODY),
        (right, ""),
    ]
    answers = [taken.n8n.ask("POST", LEADS, body.encode(), headers) for headers, body in tries]
    assert [answer.status for answer in answers] == [401] * len(tries)
    assert len({answer.body for answer in answers}) == 1, "the answer does not tell what is wrong"
    time.sleep(QUIET_SECONDS)
    assert taken.taker.received == []
    assert taken.n8n.ask("POST", LEADS, BODY.encode(), right).status == 200
    taken.show("a wrong, old or missing signature is refused with 401, nothing handed on", 12)


def test_a_lead_whose_first_try_died_is_taken_at_the_next(taken: House) -> None:
    _note_try(taken, "died", minutes_ago=3)
    _note_try(taken, "at-work", minutes_ago=0)
    assert send(taken, "died").status == 200
    assert send(taken, "at-work").status == 503
    time.sleep(QUIET_SECONDS)
    assert len(taken.taker.received) == 1
    taken.show("a lead whose first try died before its 200 is handed on at the next")


def _note_try(house: House, webhook_id: str, minutes_ago: float) -> None:
    """A try that was noted and got no further, as after a crash."""
    send(house, "so-that-the-list-is-there")
    house.taker.wait_for(1, within_seconds=60)
    house.taker.received.clear()
    noted_at = (time.time() - 60 * minutes_ago) * 1000
    with sqlite3.connect(house.n8n.folder / ".n8n" / "database.sqlite", timeout=30) as database:
        [(number,)] = database.execute("SELECT id FROM data_table WHERE name LIKE 'leads_%'")
        database.execute(
            f'INSERT INTO "data_table_user_{number}" (webhook_id, noted_at, is_taken)'  # noqa: S608
            " VALUES (?, ?, 0)",
            (webhook_id, noted_at),
        )
