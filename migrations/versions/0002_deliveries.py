"""Destinations, deliveries, and the tables of Procrastinate, the job queue."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "destinations",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("consecutive_failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('n8n', 'monday', 'email', 'messenger', 'console')",
            name=op.f("ck_destinations_kind"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_destinations")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("destination_key", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_token", sa.Uuid(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "event IN ('lead.completed', 'lead.updated', 'lead.partial', 'lead.test',"
            " 'lead.erased')",
            name=op.f("ck_deliveries_event"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'delivered', 'failed', 'dead', 'unknown', 'cancelled')",
            name=op.f("ck_deliveries_status"),
        ),
        sa.CheckConstraint(
            "(claim_token IS NULL) = (claimed_until IS NULL)", name=op.f("ck_deliveries_claim")
        ),
        sa.ForeignKeyConstraint(
            ["destination_key"], ["destinations.key"], name=op.f("fk_deliveries_destination_key")
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_deliveries_lead_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat_sessions.id"],
            name=op.f("fk_deliveries_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("number", name=op.f("uq_deliveries_number")),
    )
    op.create_index(
        "ix_deliveries_claimed",
        "deliveries",
        ["destination_key"],
        unique=False,
        postgresql_where=sa.text("claim_token IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_created_at",
        "deliveries",
        [sa.literal_column("created_at DESC"), sa.literal_column("number DESC")],
        unique=False,
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["destination_key", "next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'failed')"),
    )
    op.create_index(op.f("ix_deliveries_lead_id"), "deliveries", ["lead_id"], unique=False)
    op.create_index(op.f("ix_deliveries_session_id"), "deliveries", ["session_id"], unique=False)
    op.create_index(
        "uq_deliveries_completed_once",
        "deliveries",
        ["lead_id", "destination_key"],
        unique=True,
        postgresql_where=sa.text("event = 'lead.completed' AND status <> 'cancelled'"),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_delivery_attempts_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
    )
    op.create_index(
        op.f("ix_delivery_attempts_delivery_id"), "delivery_attempts", ["delivery_id"], unique=False
    )
    # Its own `apply_schema` fails through the SQLAlchemy connector (procrastinate 3.10).
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(SchemaManager.get_schema())


def downgrade() -> None:
    raise NotImplementedError("Going back would lose deliveries that were promised.")
