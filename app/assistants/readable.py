"""Markdown as plain, readable text, as a whole or while it comes in.

Marks go, line breaks and lists stay, a link becomes `label (address)`. What is no markdown is
shown as written, HTML among it. A construct counts only when it ends on its own line and within
`LONGEST_HOLD` characters: a stream never waits longer than that for the end of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from app.assistants import readable_marks as marks
from app.assistants.readable_marks import LONGEST_HOLD, SLACK, ends_with_word, is_word

MOST_NESTED = 8
_NOT_BEFORE_CLOSING = frozenset(" \t\n([{")
_NOT_AFTER_OPENING = frozenset(" \t\n)]}.,;:!?")


def readable(text: str) -> str:
    """The whole of it at once."""
    stream = ReadableStream()
    return stream.feed(text) + stream.finish()


class ReadableStream:
    """`feed` gives what is certain of the text so far, `finish` the rest.

    Joined they are `readable` of the whole, wherever the pieces were cut.
    """

    def __init__(self) -> None:
        self._text = "\n"  # what is not decided yet, and one character before it
        self._at = 1
        self._is_end = False
        self._out: list[str] = []
        self._has_shown = False
        self._breaks = 0  # line breaks that are shown once something follows
        self._fence = ""
        self._begin_line()
        self._closers: dict[str, re.Match[str] | None] = {}

    def feed(self, piece: str) -> str:
        self._text += piece
        return self._advance()

    def finish(self) -> str:
        self._is_end = True
        return self._advance()

    def _advance(self) -> str:
        # Half a CRLF looks like a line break of its own.
        kept = "\r" if self._text.endswith("\r") and not self._is_end else ""
        self._text = self._text.removesuffix(kept).replace("\r\n", "\n").replace("\r", "\n")
        while self._at < len(self._text):
            step = self._start_of_line if self._is_line_start else self._middle_of_line
            if not step():
                break
        shown = "".join(self._out)
        self._out.clear()
        self._closers.clear()
        self._text = self._text[self._at - 1 :] + kept
        self._at = 1
        return shown

    def _begin_line(self) -> None:
        self._is_line_start = True
        self._nested = 0
        self._is_row = self._is_url = False
        self._open: list[str] = []

    # The steps: each takes something and says True, or waits for more text and says False.

    def _take(self, length: int, shown: str = "") -> bool:
        self._at += length
        if shown:
            if self._has_shown:
                self._out.append("\n" * min(self._breaks, 2))
            self._out.append(shown)
            self._has_shown = True
            self._breaks = 0
        return True

    def _as_written(self, length: int = 1) -> bool:
        return self._take(length, self._text[self._at : self._at + length])

    def _may_wait(self) -> bool:
        return not self._is_end and len(self._text) - self._at < LONGEST_HOLD + SLACK

    def _char(self, place: int) -> str:
        return self._text[place : place + 1]

    def _start_of_line(self) -> bool:
        text, at = self._text, self._at
        head = marks.HEAD.match(text, at)
        assert head is not None, "it matches nothing, too"
        if head.end() == len(text) and self._may_wait():
            return False
        self._is_line_start = False
        if len(head[0]) >= LONGEST_HOLD or self._nested == MOST_NESTED:
            return True
        if fence := marks.FENCE.match(text, at):
            return self._fence_line(fence[1])
        if blank := marks.BLANK.match(text, at):
            return self._take(len(blank[0]))
        if self._fence:
            return True
        if rule := marks.RULE.match(text, at):
            return self._drop_line(rule.end())
        if heading := marks.HEADING.match(text, at):
            return self._take(len(heading[0]))
        if quote := marks.QUOTE.match(text, at):
            return self._nest(len(quote[0]))
        if item := marks.ITEM.match(text, at):
            return self._nest(len(item[0]), f"{item[1]}• ")
        if row := marks.ROW.match(text, at):
            self._is_row = True
            return self._take(len(row[0]))
        return True

    def _fence_line(self, mark: str) -> bool:
        text, at = self._text, self._at
        if self._fence:
            ends = marks.FENCE_ENDS.match(text, at)
            if ends is None or not mark.startswith(self._fence):
                return True
            self._fence = ""
            return self._drop_line(ends.end())
        line_end = text.find("\n", at)
        if line_end < 0:
            line_end = len(text)
            if self._may_wait():
                self._is_line_start = True
                return False
        label = text[at:line_end].strip(" \t").removeprefix(mark)
        # Words behind it are meant to be read; a code span ends on the line it begins on.
        if len(label.split()) > 1 or "`" in label or line_end - at >= LONGEST_HOLD:
            return True
        self._fence = mark
        return self._drop_line(line_end)

    def _drop_line(self, end: int) -> bool:
        self._begin_line()
        return self._take(min(end + 1, len(self._text)) - self._at)

    def _nest(self, length: int, shown: str = "") -> bool:
        self._nested += 1
        self._is_line_start = True
        return self._take(length, shown)

    def _middle_of_line(self) -> bool:
        text, at = self._text, self._at
        if self._fence and text[at] != "\n":
            line_end = text.find("\n", at)
            return self._as_written((len(text) if line_end < 0 else line_end) - at)
        if self._is_url:
            rest = marks.URL_REST.match(text, at)
            assert rest is not None, "it matches nothing, too"
            self._is_url = rest.end() == len(text)
            return self._as_written(len(rest[0]))
        ordinary = marks.ORDINARY_IN_ROW if self._is_row else marks.ORDINARY
        if run := ordinary.match(text, at):
            return self._as_written(len(run[0]))
        return _STEPS[text[at]](self)

    def _line_break(self) -> bool:
        self._begin_line()
        self._breaks += 1
        return self._take(1)

    def _escape(self) -> bool:
        following = self._char(self._at + 1)
        if not following and self._may_wait():
            return False
        if following in marks.PUNCTUATION:
            return self._take(2, following)
        return self._take(1, "" if following == "\n" else "\\")

    def _code(self) -> bool:
        length = self._run_length()
        if not length:
            return False
        mark = "`" * length
        closer = self._find_closer(mark)
        if closer is None:
            return False
        if closer < 0:
            return self._as_written(length)
        code = self._text[self._at + length : closer]
        if code.strip() and code[0] == code[-1] == " ":
            code = code[1:-1]
        return self._take(closer + length - self._at, code)

    def _emphasis(self) -> bool:
        length = self._run_length()
        if not length:
            return False
        char, before = self._text[self._at], self._text[self._at - 1]
        following = self._char(self._at + length)
        left_over = length
        if before not in _NOT_BEFORE_CLOSING:
            for mark in reversed(self._open):
                may_close = not (ends_with_word(mark) and is_word(following))
                if mark[0] == char and len(mark) <= left_over and may_close:
                    self._open.remove(mark)
                    left_over -= len(mark)
        if left_over < length:
            return self._take(length, char * left_over)
        mark = char * length
        if mark not in marks.CLOSERS or is_word(before) or before == char:
            return self._as_written(length)
        if not following or following in _NOT_AFTER_OPENING:
            return self._as_written(length)
        closer = self._find_closer(mark)
        if closer is None:
            return False
        if closer < 0:
            return self._as_written(length)
        self._open.append(mark)
        return self._take(length)

    def _run_length(self) -> int:
        """Of the equal marks from here; 0 while more may follow."""
        char, end = self._text[self._at], self._at + 1
        while self._char(end) == char:
            end += 1
        return 0 if end == len(self._text) and self._may_wait() else end - self._at

    def _find_closer(self, mark: str) -> int | None:
        """Where the end of this mark is; below 0: it has none; None: not known yet."""
        if mark not in marks.CLOSERS:
            return -1
        begin = self._at + len(mark)
        # What was not found, or is further on, need not be looked for again.
        known = self._closers.get(mark)
        if mark not in self._closers or (known is not None and known.start() < begin):
            known = self._closers[mark] = marks.CLOSERS[mark].search(self._text, begin)
        may_go_on = known is None or (known.end() == len(self._text) and known[0] != "\n")
        if may_go_on and self._may_wait():
            return None
        if known is None or known[0] == "\n" or known.start() - self._at >= LONGEST_HOLD:
            return -1
        return known.start()

    def _pointed(self) -> bool:
        address = marks.AUTOLINK.match(self._text, self._at)
        if address and len(address[0]) < LONGEST_HOLD:
            return self._take(len(address[0]), address[1])
        if tag := marks.TAG.match(self._text, self._at):
            return self._as_written(len(tag[0]) if len(tag[0]) < LONGEST_HOLD else 1)
        if self._may_wait() and marks.TAG_BEGUN.fullmatch(self._text, self._at):
            return False
        return self._as_written()

    def _image(self) -> bool:
        following = self._char(self._at + 1)
        if not following and self._may_wait():
            return False
        return self._link() if following == "[" else self._as_written()

    def _link(self) -> bool:
        link = marks.LINK.match(self._text, self._at)
        if link and len(link[0]) < LONGEST_HOLD:
            address = link["address"] or link["pointed"] or ""
            return self._take(len(link[0]), marks.linked(readable(link["label"]).strip(), address))
        if self._may_wait() and marks.LINK_BEGUN.fullmatch(self._text, self._at):
            return False
        return self._as_written()

    def _colon(self) -> bool:
        following = self._text[self._at : self._at + 3]
        self._is_url = following == "://"
        if not self._is_url and "://".startswith(following) and self._may_wait():
            return False
        return self._as_written(3 if self._is_url else 1)

    def _row_gap(self) -> bool:
        gap = marks.ROW_GAP.match(self._text, self._at)
        assert gap is not None, "it matches nothing, too"
        if gap.end() == len(self._text) and self._may_wait():
            return False
        if self._char(gap.end()) in ("", "\n"):
            return self._take(len(gap[0]))
        return self._take(len(gap[0]), " | " if gap["border"] else " ")


_STEPS: dict[str, Callable[[ReadableStream], bool]] = {
    "\n": ReadableStream._line_break,
    "\\": ReadableStream._escape,
    "`": ReadableStream._code,
    **dict.fromkeys("*_~", ReadableStream._emphasis),
    "<": ReadableStream._pointed,
    "!": ReadableStream._image,
    "[": ReadableStream._link,
    ":": ReadableStream._colon,
    **dict.fromkeys("| \t", ReadableStream._row_gap),
}
