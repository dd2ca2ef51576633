"""Live updates: one LISTEN connection and one thread per process, whatever number of readers.

A reader has a mailbox in which the ids of changed rows add up until it takes them, so that a slow
reader costs no memory and a burst of changes is one piece of news. After a lost connection nobody
knows what was missed: every reader is told to load its page again.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass, field

import psycopg

from app.core import events

logger = logging.getLogger(__name__)

MOST_READERS = 40
#: Of one owner. A page that was just left is noticed at its next heartbeat only, so that the oldest
#: of a person's streams are mostly ones nobody reads any more.
MOST_OF_ONE_OWNER = 6
#: Past this many ids in a mailbox, loading the page again is cheaper.
MOST_IDS = 100
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
#: How often a silent connection is asked whether it is still there.
PROBE_SECONDS = 10.0


class TooManyReaders(Exception):  # noqa: N818 - a fact, answered with "try again later"
    """This process already serves as many readers as it may."""


@dataclass(frozen=True, slots=True)
class News:
    """Ids of rows that changed, by topic; or `reload`: anything may have changed."""

    changed: dict[str, list[str]] = field(default_factory=dict)
    reload: bool = False


class Mailbox:
    """What one reader has not been told yet."""

    def __init__(self) -> None:
        self._has_news = threading.Condition()
        self._changed: dict[str, set[str]] = {}
        self._reload = False
        self._is_closed = False
        #: Closed because its owner opened more streams than one owner may have.
        self.is_replaced = False

    def put(self, changed: dict[str, list[str]], *, reload: bool = False) -> None:
        with self._has_news:
            for topic, ids in changed.items():
                self._changed.setdefault(topic, set()).update(ids)
            if reload or sum(map(len, self._changed.values())) > MOST_IDS:
                self._reload = True
                self._changed.clear()
            self._has_news.notify()

    def take(self, timeout_seconds: float) -> News | None:
        """All news so far; waits for the first up to that long, then None."""
        with self._has_news:
            self._has_news.wait_for(
                lambda: self._changed or self._reload or self._is_closed, timeout_seconds
            )
            if self._reload or self._changed:
                news = News({t: sorted(ids) for t, ids in self._changed.items()}, self._reload)
                self._changed, self._reload = {}, False
                return news
        return None

    def close(self, *, is_replaced: bool = False) -> None:
        with self._has_news:
            self._is_closed = True
            self.is_replaced = is_replaced
            self._has_news.notify()

    @property
    def is_closed(self) -> bool:
        return self._is_closed


class Hub:
    """Hands every notice of the database to every reader of this process."""

    def __init__(self, most_readers: int = MOST_READERS) -> None:
        self.most_readers = most_readers
        self._lock = threading.Lock()
        self._mailboxes: dict[Mailbox, str] = {}  # with their owners, the oldest first
        self._thread: threading.Thread | None = None
        self._process_id = 0
        self._is_closed = threading.Event()

    @property
    def reader_count(self) -> int:
        return len(self._mailboxes)

    def join(self, listen_url: str, owner: str = "") -> Mailbox:
        """A mailbox for a new reader. The first reader of a process starts its thread.

        `listen_url`: the database's address in libpq's form. An `owner` who has too many readers
        loses the oldest one to the new one; without an owner nobody's are counted. Raises
        TooManyReaders.
        """
        mailbox = Mailbox()
        with self._lock:
            if self._process_id != os.getpid():  # a fork has copies of mailboxes, but no thread
                self._mailboxes, self._thread, self._process_id = {}, None, os.getpid()
            if len(self._mailboxes) >= self.most_readers or self._is_closed.is_set():
                raise TooManyReaders
            self._make_room(owner)
            self._mailboxes[mailbox] = owner
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, args=(listen_url,), name="live updates", daemon=True
                )
                self._thread.start()
        return mailbox

    def _make_room(self, owner: str) -> None:
        """The oldest stream of an owner with too many is closed; it counts until it has ended."""
        theirs = [
            mailbox
            for mailbox, its_owner in self._mailboxes.items()
            if its_owner == owner and not mailbox.is_closed
        ]
        if owner and len(theirs) >= MOST_OF_ONE_OWNER:
            theirs[0].close(is_replaced=True)

    def leave(self, mailbox: Mailbox) -> None:
        with self._lock:
            self._mailboxes.pop(mailbox, None)

    def close(self) -> None:
        """Send every reader home and stop listening: the process is about to end."""
        self._is_closed.set()
        for mailbox in list(self._mailboxes):
            mailbox.close()

    def _run(self, listen_url: str) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._is_closed.is_set():
            try:
                with psycopg.connect(
                    listen_url,
                    autocommit=True,
                    connect_timeout=5,
                    application_name="platform-5ive live updates",
                ) as connection:
                    connection.execute(f"LISTEN {events.CHANNEL}")
                    # Whoever came before this moment may have missed something.
                    self._tell({}, reload=True)
                    pause = FIRST_PAUSE_SECONDS
                    self._listen(connection)
            except (psycopg.Error, OSError) as error:
                if not self._is_closed.is_set():
                    logger.warning("live updates interrupted: %s", type(error).__name__)
            self._is_closed.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _listen(self, connection: psycopg.Connection) -> None:
        while not self._is_closed.is_set():
            for notice in connection.notifies(timeout=PROBE_SECONDS):
                self._tell_payload(notice.payload)
                if self._is_closed.is_set():
                    return
            connection.execute("SELECT 1")

    def _tell_payload(self, payload: str) -> None:
        try:
            said = json.loads(payload)
            changed = {str(t): [str(i) for i in ids] for t, ids in said.items() if t != "reload"}
            self._tell(changed, reload=bool(said.get("reload")))
        except (ValueError, AttributeError, TypeError):
            logger.warning("a notice that is not ours was skipped")

    def _tell(self, changed: dict[str, list[str]], *, reload: bool) -> None:
        with self._lock:
            mailboxes = list(self._mailboxes)
        for mailbox in mailboxes:
            mailbox.put(changed, reload=reload)


hub = Hub()
