"""Column types the models share."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Identity, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

UuidKey = Annotated[uuid.UUID, mapped_column(primary_key=True, default=uuid.uuid4)]
NumberKey = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
BigNumber = Annotated[int, mapped_column(BigInteger)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Words = Annotated[str, mapped_column(Text)]
JsonObject = Annotated[
    dict[str, Any], mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
]
JsonList = Annotated[
    list[Any], mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
]


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The CHECK text that a column holds one of these values."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"
