"""What a list can be asked for. The filters are the address: this reads them and writes it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from app.web.frame.addresses import query_args
from app.web.lists.params import choice, read_ids
from app.web.lists.periods import Period

Query = dict[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """One drop-down. `any_text`: what stands there while nothing is chosen; `options`: the
    address's value and its word. `is_folded`: under "More filters".
    """

    name: str
    label: str
    any_text: str
    options: Mapping[str, str]
    value: str | None = None
    is_folded: bool = False

    @property
    def is_yes(self) -> bool | None:
        """Of a choice between `yes` and `no`."""
        return None if self.value is None else self.value == "yes"


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, and the query without it."""

    text: str
    without: Query


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of the list at `endpoint`. `view_id`: the saved view one came from.
    `period_label`: what happened in the period.
    """

    endpoint: str
    choices: tuple[Choice, ...] = ()
    period: Period | None = None
    period_label: str = "Started"
    words: str = ""
    view_id: uuid.UUID | None = None

    @property
    def filter_query(self) -> Query:
        """What is filtered by, as an address has it: nothing empty, always in one order."""
        found = {"q": self.words} if self.words else {}
        found |= self.period.query if self.period else {}
        return found | {each.name: each.value for each in self.choices if each.value is not None}

    @property
    def query(self) -> Query:
        """The page's whole address but for which page of the list it is."""
        return ({"view": str(self.view_id)} if self.view_id else {}) | self.filter_query

    @property
    def chips(self) -> list[Chip]:
        found = [Chip(f"Search: {self.words}", self._without("q"))] if self.words else []
        if self.period and self.period.words:
            text = f"{self.period_label}: {self.period.words}"
            found.append(Chip(text, self._without("period", "from", "to")))
        return found + [
            Chip(f"{each.label}: {each.options[each.value]}", self._without(each.name))
            for each in self.choices
            if each.value is not None
        ]

    @property
    def has_folded(self) -> bool:
        return any(each.is_folded and each.value is not None for each in self.choices)

    def address(self, **changes: str | None) -> str:
        """Of this list, with these changed; None takes one out."""
        asked: dict[str, str | None] = {"view": None, **self.query, **changes}
        kept = {name: value for name, value in asked.items() if value is not None}
        return url_for(self.endpoint, **kept)  # type: ignore[arg-type]

    def tidied(self) -> Response | None:
        """To the same list under its tidy address, when the one asked for names filters that are
        empty or unknown: a form without JavaScript sends every field.
        """
        known = {"q", "view", "period", "from", "to"} | {each.name for each in self.choices}
        asked = {name: value for name, value in request.args.items() if name in known}
        as_typed = self.period.typed if self.period else {}
        if asked in (self.query, {**self.query, **as_typed}):
            return None
        others = {name: value for name, value in query_args().items() if name not in known}
        return redirect(url_for(self.endpoint, **{**others, **self.query}))  # type: ignore[arg-type]

    def _without(self, *names: str) -> Query:
        return {name: value for name, value in self.query.items() if name not in names}


def pick(
    name: str, label: str, any_text: str, options: Mapping[str, str], *, is_folded: bool = False
) -> Choice:
    """The choice as this request's address has it."""
    return Choice(name, label, any_text, options, choice(name, options), is_folded)


def pick_yes_no(
    name: str, label: str, any_text: str, yes: str, no: str, *, is_folded: bool = False
) -> Choice:
    return pick(name, label, any_text, {"yes": yes, "no": no}, is_folded=is_folded)


def read_view_id() -> uuid.UUID | None:
    found = read_ids([request.args.get("view", "")])
    return found[0] if found else None
