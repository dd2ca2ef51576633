"""What went wrong with a source of conversations, in plain words."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

#: SQLSTATEs that another try can cure: nothing is wrong with the rows.
PASSING = ("08", "40", "53", "55P03", "57")
_WORDS = {
    "42501": "Our database user may not read it. It needs SELECT on the table.",
    "42703": "It has no columns id, session_id and message, so it is no chat memory of N8n.",
    "42883": "Its id is no number, so it is no chat memory of N8n.",
    "42804": "Its columns are not those of a chat memory of N8n.",
    "57014": "It took too long to answer.",
    "55P03": "Somebody keeps the table locked.",
    "28P01": "The database refuses our password.",
    "28000": "The database refuses our user.",
    "3D000": "The database named in the settings does not exist.",
    "53300": "The database has no connection free.",
    "25P02": "The database gave up in the middle.",
}
_SPOKEN = (
    ("password authentication failed", _WORDS["28P01"]),
    ("does not exist", "The database or user named in the settings does not exist."),
    ("too many", _WORDS["53300"]),
    ("refused", "The database cannot be reached: nothing answers at its address."),
    ("could not translate host name", "The database cannot be reached: its host name is unknown."),
    ("timeout expired", "The database cannot be reached: it does not answer."),
)


class SourceFailed(Exception):  # noqa: N818 - the house's words
    """The table cannot be read at present; the message is a plain sentence."""


class TooSlow(Exception):  # noqa: N818
    """No answer within the short time there was. Whoever has more time may get one."""


def failure(error: Exception, *, is_hurried: bool) -> SourceFailed | TooSlow:
    """What this error means for the table."""
    if isinstance(error, NoConnectionFree):
        return TooSlow() if is_hurried else SourceFailed("Every connection to it is in use.")
    code = sqlstate(error)
    if is_hurried and code in ("57014", "55P03"):
        return TooSlow()
    if code in _WORDS:
        return SourceFailed(_WORDS[code])
    if isinstance(error, UnicodeDecodeError):
        return SourceFailed("The database holds text in an encoding that cannot be read.")
    said = str(getattr(error, "orig", None) or error)
    for part, words in _SPOKEN:
        if part in said:
            return SourceFailed(words)
    if code is None or code.startswith(("08", "57")):
        return SourceFailed("The connection to the database broke.")
    return SourceFailed(f"The database answered with an error: {said.splitlines()[0][:200]}")


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five characters for what went wrong, if it was PostgreSQL who said it."""
    if not isinstance(error, DBAPIError):
        return None
    code = getattr(error.orig, "pgcode", None)
    return str(code) if code else None


def is_passing(error: BaseException) -> bool:
    """Whether the same rows may well go in at the next try: a deadlock, a lost connection."""
    if not isinstance(error, DBAPIError):
        return False
    code = sqlstate(error)
    return error.connection_invalidated or code is None or code.startswith(PASSING)
