"""Which deliveries may have killed the worker that sent them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "deliveries",
        sa.Column("is_suspect", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_deliveries_suspect",
        "deliveries",
        ["destination_key"],
        postgresql_where=sa.text("is_suspect"),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_suspect", table_name="deliveries")
    op.drop_column("deliveries", "is_suspect")
