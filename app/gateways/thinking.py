"""Some models think aloud before they answer, between <think> and </think>. Nobody hears that."""

from __future__ import annotations

import re

_BEGIN, _END = "<think>", "</think>"
_ALOUD = re.compile(rf"{_BEGIN}.*?(?:{_END}\s*|\Z)", re.DOTALL)
#: Some servers write the beginning into the prompt themselves: the model sends only the end.
_UNBEGUN = re.compile(rf"\A.*{_END}\s*", re.DOTALL)


def without_thinking(text: str) -> str:
    """The whole of an answer at once, wherever in it was thought aloud."""
    return _UNBEGUN.sub("", _ALOUD.sub("", text))


class WithoutThinking:
    """Listens to one answer; `hear` and `finish` give what is no thinking at its beginning."""

    def __init__(self) -> None:
        self._blanks: list[str] = []  # before the first word
        self._held = ""
        self._is_thinking = False
        self._is_over = False

    def hear(self, piece: str) -> str:
        if self._is_over:
            return piece
        if not self._held and not piece.strip():
            self._blanks.append(piece)
            return ""
        self._held += piece
        if not self._is_thinking:
            text = self._held.lstrip()
            if _BEGIN.startswith(text):
                return ""
            if not text.startswith(_BEGIN):
                return self._all()
            self._blanks.clear()
            self._is_thinking = True
        _, end, rest = self._held.rpartition(_END)
        if end:
            self._held = rest.lstrip()
            return self._all()
        self._held = self._held[-len(_END) :]
        return ""

    def finish(self) -> str:
        return "" if self._is_thinking and not self._is_over else self._all()

    def _all(self) -> str:
        self._is_over = True
        said, self._held = "".join(self._blanks) + self._held, ""
        self._blanks.clear()
        return said
