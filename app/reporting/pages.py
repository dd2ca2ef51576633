"""Keyset pages: a page costs the same at any depth, and new rows do not shift it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.core import clock
from app.core.errors import Invalid

Item = TypeVar("Item")
Key = tuple[datetime, Any]
DIRECTIONS = {"next": "next", "previous": "previous"}
AnySelect = Select[*tuple[Any, ...]]


class AtLeast(int):
    """A count that stopped before its end; shown with a plus."""

    def __str__(self) -> str:
        return f"{int(self)}+"


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Part of a list, with opaque cursors to what follows and to what comes before.

    `looked_back_to`: the page is not full, but looking for more would have taken too long; the
    cursor goes on from that time.
    """

    items: list[Item]
    next_cursor: str | None
    previous_cursor: str | None
    looked_back_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Keyset:
    """A list's order, unique by a time and an id: where one page starts, and how to go on.

    `read_id` turns the id's text back into its value, raising ValueError.
    """

    at: InstrumentedAttribute[datetime] | ColumnElement[datetime]
    id: InstrumentedAttribute[Any] | ColumnElement[Any]
    read_id: Callable[[str], Any]
    is_newest_first: bool = True

    def order(self, statement: AnySelect) -> AnySelect:
        return statement.order_by(*self._order(self.is_newest_first))

    def cut(self, statement: AnySelect, limit: int, cursor: str | None) -> AnySelect:
        """The rows of one page and one more, which tells whether the list goes on."""
        if cursor is None:
            return self.order(statement).limit(limit + 1)
        direction, key = self._decode(cursor)
        is_descending = self.is_newest_first == (direction == "next")
        columns = tuple_(self.at, self.id)
        statement = statement.where(columns < key if is_descending else columns > key)
        return statement.order_by(*self._order(is_descending)).limit(limit + 1)

    def up_to(self, last: Key, cursor: str | None) -> ColumnElement[bool]:
        """What the list has on the way from `cursor` to this row, the row included."""
        is_forward = cursor is None or self._decode(cursor)[0] == "next"
        columns = tuple_(self.at, self.id)
        return columns >= last if is_forward == self.is_newest_first else columns <= last

    def page(
        self, items: Sequence[Item], key: Callable[[Item], Key], limit: int, cursor: str | None
    ) -> Page[Item]:
        """The page, from what `cut` selected, brought into the list's order."""
        found = list(items)
        if cursor is not None and self._decode(cursor)[0] == "previous":
            has_previous, has_next = len(found) > limit, True
            found = found[-limit:]
        else:
            has_previous, has_next = cursor is not None, len(found) > limit
            found = found[:limit]
        return Page(
            found,
            _encode("next", key(found[-1])) if found and has_next else None,
            _encode("previous", key(found[0])) if found and has_previous else None,
        )

    def unfinished(self, page: Page[Item], last: Key, cursor: str | None) -> Page[Item]:
        """The same page, when not all of the list was looked at but only as far as `last`."""
        if cursor is not None and self._decode(cursor)[0] == "previous":
            return replace(page, previous_cursor=cursor_before(last), looked_back_to=last[0])
        return replace(page, next_cursor=cursor_after(last), looked_back_to=last[0])

    def _order(self, is_descending: bool) -> tuple[Any, Any]:
        if is_descending:
            return self.at.desc(), self.id.desc()
        return self.at.asc(), self.id.asc()

    def _decode(self, cursor: str) -> tuple[str, Key]:
        try:
            text = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii")
            direction, at, row_id = text.split(" ")
            key = datetime.fromisoformat(at).astimezone(UTC), self.read_id(row_id)
            return DIRECTIONS[direction], key
        except (ValueError, OverflowError, KeyError) as error:
            raise Invalid(
                {"cursor": ["Use the next_cursor of an earlier answer, or leave this out."]}
            ) from error


def cursor_after(key: Key) -> str:
    """To the page that starts with what follows `key` in the list's order."""
    return _encode("next", key)


def cursor_before(key: Key) -> str:
    """To the page that ends with what comes before `key` in the list's order."""
    return _encode("previous", key)


def _encode(direction: Literal["next", "previous"], key: Key) -> str:
    text = f"{direction} {clock.iso(key[0])} {key[1]}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def number(text: str) -> int:
    """A PostgreSQL bigint. Raises ValueError."""
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return value
