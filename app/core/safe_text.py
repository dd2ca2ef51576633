"""Show text from outside without letting it move the cursor, start a line of its own, or reorder
the text around it. What is stored stays exactly as it was typed: this is for output only.
"""

from __future__ import annotations

import re

INDENT = "    "

#: Everything that some terminal, log viewer or `str.splitlines` takes for the end of a line.
_LINE_BREAK = re.compile(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
#: Embeddings, overrides and isolates (UAX #9): they act on everything up to the paragraph's end.
_BIDI_SCOPES = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
#: C0 and C1 besides tab and newline; bidi marks and scopes; what is invisible but is no letter;
#: tags; halves of surrogate pairs. U+200C and U+200D stay: Persian and emoji need them.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    r"\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb"
    r"\U000e0000-\U000e0fff]"
)
#: Marks that are drawn over the lines above and below. No script stacks more than a few.
_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED_MARKS = re.compile(rf"(?<={_MARK * 6}){_MARK}++")

FIRST_STRONG_ISOLATE = "\u2068"
POP_ISOLATE = "\u2069"


def printable(text: str) -> str:
    """The text for a terminal or a log: no control characters, bidi controls or invisible
    characters. Every kind of line break becomes a newline; tabs stay. Of a terminal sequence the
    visible rest stays: without its ESC it does nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_BREAK.sub("\n", text)
    return _STACKED_MARKS.sub("", _UNSEEN.sub("", text))


def one_line(text: str) -> str:
    """`printable` with every run of white space, line breaks included, as one space."""
    return " ".join(printable(text).split())


def indented(text: str) -> str:
    """`printable` with each line after the first one indented, so that none can pass for a line
    of ours.
    """
    return printable(text).replace("\n", f"\n{INDENT}")


def without_bidi_scopes(text: str) -> str:
    """The text without what reorders the text after it, for a page or an email.

    An isolating element is not enough: browsers implement one with these same characters, so a
    text that begins with U+2069 closes it.
    """
    return text if text.isascii() else _BIDI_SCOPES.sub("", text)


def escaped_in_json(text: str) -> str:
    """JSON with what reorders text written as `\\u202e`: the same JSON, and visible."""
    return _BIDI_SCOPES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def isolated(text: str) -> str:
    """`without_bidi_scopes` inside an isolate of its own, for titles and subjects, where no
    element can isolate it. Text of one direction, which is most text, gets no isolate.
    """
    text = without_bidi_scopes(text)
    if text.isascii() or not _RIGHT_TO_LEFT.search(text):
        return text
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"


_RIGHT_TO_LEFT = re.compile(
    r"[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
