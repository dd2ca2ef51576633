"""Send what is due. A job is the drain of one destination."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.core import clock
from app.core.db import transaction
from app.core.queue import defer
from app.delivery.claim import claim
from app.delivery.destinations import Outgoing, client_for
from app.delivery.outbox import DELIVER
from app.delivery.record import record


def drain(
    destination_key: str,
    is_stopping: Callable[[], bool] = lambda: False,
    *,
    with_suspects: bool = True,
) -> int:
    """Send one delivery after another until none is due, or others already send as many as may.

    Whoever is busy looks again after each delivery, so one that ends here is not forgotten.
    Asked to stop, it leaves a job for the rest. `with_suspects`: also those that may have
    killed a worker. Gives how many it sent.
    """
    sent = 0
    while not is_stopping():
        delivery = claim(destination_key, with_suspects=with_suspects)
        if delivery is None:
            return sent
        attempt(delivery)
        sent += 1
    with transaction() as session:
        defer(session, DELIVER, destination_key=destination_key)
    return sent


def attempt(delivery: Outgoing) -> None:
    """Send it, with no transaction open and no connection held, and record how that went."""
    at, started = clock.now(), time.monotonic()
    outcome = client_for(delivery.destination_key).send(delivery)
    record(delivery, outcome, at, round((time.monotonic() - started) * 1000))
