"""What happened to a lead and who has to be told; leads that wait to be sent unfinished."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COMPLETED_BEFORE = """
WITH told AS (
    SELECT lead_id, min(created_at) AS at, jsonb_agg(destination_key) AS destinations
      FROM deliveries
     WHERE event = 'lead.completed' AND status <> 'cancelled' AND lead_id IS NOT NULL
     GROUP BY lead_id
), happened AS (
    INSERT INTO lead_events (lead_id, event, at, destinations)
    SELECT lead_id, 'lead.completed', at, destinations FROM told
    RETURNING id, lead_id
)
UPDATE deliveries SET lead_event_id = happened.id FROM happened
 WHERE deliveries.lead_id = happened.lead_id AND event = 'lead.completed'
   AND status <> 'cancelled'
"""


def upgrade() -> None:
    op.create_table(
        "lead_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "destinations",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "event IN ('lead.completed', 'lead.updated', 'lead.partial', 'lead.test',"
            " 'lead.erased')",
            name=op.f("ck_lead_events_event"),
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_lead_events_lead_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_events")),
    )
    op.create_index(op.f("ix_lead_events_lead_id"), "lead_events", ["lead_id"], unique=False)
    op.add_column("deliveries", sa.Column("lead_event_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "deliveries",
        sa.Column("is_withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.drop_index(
        op.f("uq_deliveries_completed_once"),
        table_name="deliveries",
        postgresql_where="((event = 'lead.completed'::text) AND (status <> 'cancelled'::text))",
    )
    op.create_index(
        op.f("ix_deliveries_lead_event_id"), "deliveries", ["lead_event_id"], unique=False
    )
    op.create_index(
        "uq_deliveries_once",
        "deliveries",
        ["lead_id", "destination_key", "event"],
        unique=True,
        postgresql_where=sa.text(
            "event IN ('lead.completed', 'lead.partial') AND status <> 'cancelled'"
        ),
    )
    op.create_foreign_key(
        op.f("fk_deliveries_lead_event_id"),
        "deliveries",
        "lead_events",
        ["lead_event_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.add_column(
        "leads",
        sa.Column("awaits_partial", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.create_index(
        "ix_leads_awaits_partial",
        "leads",
        ["session_id"],
        unique=False,
        postgresql_where=sa.text("awaits_partial"),
    )
    # Nobody is told today of what was left unfinished before.
    op.execute("UPDATE leads SET awaits_partial = false")
    op.execute(COMPLETED_BEFORE)


def downgrade() -> None:
    raise NotImplementedError("This release's tables hold what cannot be made again.")
