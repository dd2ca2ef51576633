"""Declare a list's filters once: drop-down, chip, address, saved view and API derive from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from app.core.db import db
from app.reporting import sites
from app.web.frame.labels import Badge

Options = Mapping[str, str]
Filter = TypeVar("Filter")


def _as_chosen(value: str | None) -> str | None:
    return value


@dataclass(frozen=True, slots=True)
class FilterField:
    """One filter of a list.

    `name`: in addresses, in saved views and in the API. `any_label`: shown while nothing is chosen.
    `options`: label by value; a function for those from the database, which returns None where the
    filter is not offered. `argument`: which one of the list's filter in `reporting` it sets, if its
    name is not `name`. `to_value`: from the option chosen, or None, to that argument. `api_values`:
    what the API accepts; any text if empty. `is_folded`: under "More filters".
    """

    name: str
    label: str
    any_label: str
    options: Options | Callable[[], Options | None]
    argument: str = ""
    type: Literal["choice", "flag"] = "choice"
    to_value: Callable[[str | None], Any] = _as_chosen
    api_values: tuple[str, ...] = ()
    is_folded: bool = False
    is_on_page: bool = True
    is_in_api: bool = True

    @property
    def sets(self) -> str:
        return self.argument or self.name

    def current_options(self) -> Options | None:
        return self.options() if callable(self.options) else self.options


@dataclass(frozen=True, slots=True)
class FilteredList(Generic[Filter]):
    """What the list at `endpoint` can be filtered by.

    `filter`: the class in `reporting` that holds the conditions. `period`: its two arguments for
    the first moment and the end; `period_label`: what happened in the period. `search`: its
    argument for the search query. `views`: the list's name in saved views (`models.user`).
    """

    endpoint: str
    filter: Callable[..., Filter]
    fields: tuple[FilterField, ...]
    period: tuple[str, str] | None = None
    period_label: str = ""
    search: str = ""
    views: str = ""


def flag(name: str, label: str, any_label: str, *, yes: str, no: str) -> FilterField:
    """Whether something holds, under "More filters". `yes` and `no` are the labels."""
    return FilterField(
        name,
        label,
        any_label,
        {"yes": yes, "no": no},
        type="flag",
        to_value={None: None, "yes": True, "no": False}.get,
        is_folded=True,
    )


def texts(badges: Mapping[Any, Badge]) -> Options:
    """The options of a status: its badges' texts."""
    return {value: badge.text for value, badge in badges.items() if value is not None}


def _site_names() -> Options:
    return {site.key: site.name for site in sites.list_all(db.session())}


SITE = FilterField("site", "Site", "Any site", _site_names, argument="site_key", is_folded=True)
