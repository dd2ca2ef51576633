"""A list's filters as the address of this request has them: read from it, and written to it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Generic

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from app.web.frame.addresses import query_args
from app.web.lists.fields import Filter, FilteredList, FilterField, Options
from app.web.lists.params import choice, read_ids, search_query
from app.web.lists.periods import Period, read_period

Query = dict[str, str]


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """A field with the options it has now, and the value that is chosen."""

    field: FilterField
    options: Options
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, and the query without it."""

    text: str
    without: Query


@dataclass(frozen=True, slots=True)
class Filters(Generic[Filter]):
    """The filters of a list as they are set. `view_id`: the saved view one came from."""

    of: FilteredList[Filter]
    choices: tuple[FilterChoice, ...] = ()
    period: Period | None = None
    search: str = ""
    view_id: uuid.UUID | None = None

    @property
    def endpoint(self) -> str:
        return self.of.endpoint

    @property
    def is_wrong(self) -> bool:
        """Whether what was typed cannot be read."""
        return bool(self.period and self.period.errors)

    @property
    def filter_query(self) -> Query:
        """What is filtered by, as an address has it: nothing empty, always in one order."""
        found = {"q": self.search} if self.search else {}
        found |= self.period.query if self.period else {}
        chosen = {each.field.name: each.value for each in self.choices}
        return found | {name: value for name, value in chosen.items() if value is not None}

    @property
    def query(self) -> Query:
        """The page's whole address but for which page of the list it is."""
        return ({"view": str(self.view_id)} if self.view_id else {}) | self.filter_query

    @property
    def chips(self) -> list[Chip]:
        found = [Chip(f"Search: {self.search}", self._without("q"))] if self.search else []
        if self.period and self.period.label:
            text = f"{self.of.period_label}: {self.period.label}"
            found.append(Chip(text, self._without("period", "from", "to")))
        return found + [
            Chip(f"{each.field.label}: {each.options[each.value]}", self._without(each.field.name))
            for each in self.choices
            if each.value is not None
        ]

    @property
    def has_folded(self) -> bool:
        return any(each.field.is_folded and each.value is not None for each in self.choices)

    def address(self, **changes: str | None) -> str:
        """Of this list, with these changed; None takes one out."""
        asked: dict[str, str | None] = {"view": None, **self.query, **changes}
        kept = {name: value for name, value in asked.items() if value is not None}
        return url_for(self.endpoint, **kept)  # type: ignore[arg-type]

    def tidied(self) -> Response | None:
        """To the same list under its tidy address, when the one asked for names filters that are
        empty or unknown: a form without JavaScript sends every field.
        """
        known = {"q", "view", "period", "from", "to"} | {each.field.name for each in self.choices}
        asked = {name: value for name, value in request.args.items() if name in known}
        as_typed = self.period.typed if self.period else {}
        if asked in (self.query, {**self.query, **as_typed}):
            return None
        others = {name: value for name, value in query_args().items() if name not in known}
        return redirect(url_for(self.endpoint, **{**others, **self.query}))  # type: ignore[arg-type]

    def to_filter(self) -> Filter:
        """The same for `reporting`."""
        arguments = {each.field.sets: each.field.to_value(each.value) for each in self.choices}
        if self.of.period and self.period:
            arguments |= dict(
                zip(self.of.period, (self.period.start, self.period.end), strict=True)
            )
        if self.of.search:
            arguments[self.of.search] = self.search or None
        return self.of.filter(**arguments)

    def _without(self, *names: str) -> Query:
        return {name: value for name, value in self.query.items() if name not in names}


def read_filters(of: FilteredList[Filter]) -> Filters[Filter]:
    """What this request's address asks of the list."""
    offered = ((field, field.current_options()) for field in of.fields if field.is_on_page)
    return Filters(
        of,
        tuple(
            FilterChoice(field, options, choice(field.name, options))
            for field, options in offered
            if options is not None
        ),
        read_period() if of.period else None,
        search_query() if of.search else "",
        read_view_id() if of.views else None,
    )


def read_view_id() -> uuid.UUID | None:
    found = read_ids([request.args.get("view", "")])
    return found[0] if found else None
