"""An API key: what another program signs in with."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import JsonList, Moment, UuidKey, Words


class ApiKey(Base):
    """Only a hash is kept. `site_id`: the key is good for this site alone; empty: for every one."""

    __tablename__ = "api_keys"

    id: Mapped[UuidKey]
    name: Mapped[Words]
    hash: Mapped[Words] = mapped_column(unique=True)
    scopes: Mapped[JsonList]
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"))
    created_at: Mapped[Moment]
    last_used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
