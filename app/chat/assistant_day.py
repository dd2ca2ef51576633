"""The count of a site's day, which every answer of the site meets at.

Taken and settled by functions of the database, each a transaction of its own in one round trip:
nobody waits for this row while another process thinks about its next statement.
"""

from __future__ import annotations

import uuid
from datetime import date

from app.assistants.run import Finished
from app.core.db import call
from app.models.site_profile import SiteProfile


def take(
    site: SiteProfile, site_id: uuid.UUID, day: date, tokens: int | None, cost_micros: int
) -> bool:
    """Count one more answer, and set its tokens (None: they do not count) and cost aside.

    False: the day's caps do not allow it, and nothing is counted.
    """
    is_counted = tokens is not None
    taken = call(
        "take_of_assistant_day",
        str(site_id),
        day,
        site.assistant,
        tokens or 0,
        cost_micros,
        site.ai.day_turns,
        site.ai.day_tokens if is_counted else None,
        round(1e6 * site.ai.day_money) if is_counted else None,
    )
    return taken == (True,)


def settle(
    site: SiteProfile,
    site_id: uuid.UUID,
    day: date,
    tokens: int,
    cost_micros: int,
    finished: Finished | None,
) -> None:
    """Add tokens and cost to those set aside (less than none gives some back), and count a
    visitor's answer with its times, or its failure. `finished` None: it was nobody's.
    """
    is_answered = finished is not None and finished.failure is None
    first_word_ms = whole_ms = 0
    if is_answered and finished is not None:
        whole_ms = finished.whole_ms
        first_word_ms = finished.first_word_ms or whole_ms
    call(
        "settle_assistant_day",
        str(site_id),
        day,
        site.assistant,
        tokens,
        cost_micros,
        int(is_answered),
        first_word_ms,
        whole_ms,
        finished.failure if finished is not None else None,
    )
