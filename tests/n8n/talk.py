"""What the played model says: from the conversation alone, so that many can run at once."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.chat_completions import Calls, Says

HOURS = "Monday to Friday from 9:00 to 17:00"
PROMISE = "We will contact you within 24 hours."
_EMAIL = re.compile(r"\S+@\S+\.\w+")


def answer(request: dict[str, Any]) -> Says:
    """One model's turn: the newest line decides, a tool's result is told on."""
    newest = request["messages"][-1]
    words = str(newest["content"])
    if newest["role"] == "tool":
        return Says(*_pieces(f"We are open {HOURS}. What is your name?"))
    if "open" in words.lower():
        [tool] = request["tools"]
        return Says(Calls(tool["function"]["name"], {"input": "today"}))
    if found := _EMAIL.search(words):
        return Says(*_pieces(f"Thank you, {found[0]} is noted. {PROMISE}"))
    if "name is" in words:
        return Says(*_pieces("Nice to meet you. Which e-mail address can we write to?"))
    return Says(*_pieces(f"You wrote {words!r}. When would you like to come by?"))


def _pieces(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)
