"""`/live`: which rows changed, as server-sent events. Ids only; pages ask for what they show."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from flask import Response, current_app
from flask.typing import ResponseReturnValue

from app.core.db import release
from app.core.live import Mailbox, News, TooManyReaders, hub
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity

HEARTBEAT_SECONDS = 15
STILL_HERE = ": still here\n\n"
LONGEST_STREAM_SECONDS = 600
#: Between two pieces of news, so that a burst of changes becomes one.
SETTLE_SECONDS = 0.2
#: Topics whose ids are sent only to users with this scope. Each noun adds its own.
SCOPE_OF: dict[str, str] = {}


@blueprint.get("/live")
@requires("sessions:read")
def live() -> ResponseReturnValue:
    identity = current_identity()
    reader = str(identity.user_id) if identity else ""
    ends_with = {reader, str(identity.sign_in_id)} if identity else set()
    hidden = {topic for topic, scope in SCOPE_OF.items() if not identity or not identity.may(scope)}
    release()  # no connection is held while the stream is open
    try:
        mailbox = hub.join(current_app.extensions["settings"].listen_url, reader)
    except TooManyReaders:
        return Response("Too many pages are open. Please try again.", 503, {"Retry-After": "10"})
    response = Response(_stream(mailbox, ends_with, hidden), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: hub.leave(mailbox))
    return response


def _stream(mailbox: Mailbox, ends_with: set[str], hidden: set[str]) -> Iterator[str]:
    """Ends when its reader's sign-in or role does: the browser asks again, and is refused. Ends
    with `replaced` when its reader has opened too many: the page then asks from time to time.
    `ends_with`: ids of the user and the sign-in.
    """
    ends_at = time.monotonic() + LONGEST_STREAM_SECONDS
    yield "retry: 1000\n\n"
    while time.monotonic() < ends_at and not mailbox.is_closed:
        news = mailbox.take(HEARTBEAT_SECONDS)
        if news and ends_with.intersection(news.changed.get("sign_ins", ())):
            return
        yield _event(news, hidden | {"sign_ins"}) if news else STILL_HERE
        if news:
            time.sleep(SETTLE_SECONDS)
    if mailbox.is_replaced:
        yield "event: replaced\ndata: {}\n\n"


def _event(news: News, hidden: set[str]) -> str:
    if news.reload:
        return "event: reload\ndata: {}\n\n"
    shown = {topic: ids for topic, ids in news.changed.items() if topic not in hidden}
    return f"event: changed\ndata: {json.dumps(shown)}\n\n" if shown else STILL_HERE
