"""N8n's chat memory as a source, messages with ids of their writers, what a person decided."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catch_up",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_behind", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catch_up")),
    )
    op.create_table(
        "memory_sources",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("high_row", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("anchor_row", sa.BigInteger(), nullable=True),
        sa.Column("anchor_session", sa.Text(), nullable=True),
        sa.Column("anchor_hash", sa.Text(), nullable=True),
        sa.Column("relation", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skip_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memory_sources")),
    )
    op.create_index(
        "uq_memory_sources_current",
        "memory_sources",
        ["table_name"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column(
            "scopes", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_api_keys_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_table(
        "deleted_sessions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_session_id", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_deleted_sessions_site_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_deleted_sessions_user_id")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_deleted_sessions")),
    )
    op.create_index(
        "ix_deleted_sessions_external",
        "deleted_sessions",
        ["site_id", "channel", "external_session_id"],
        unique=False,
        postgresql_where=sa.text("external_session_id IS NOT NULL"),
    )
    op.create_table(
        "memory_gaps",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("first_row", sa.BigInteger(), nullable=False),
        sa.Column("last_row", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("check_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["memory_sources.id"],
            name=op.f("fk_memory_gaps_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source_id", "first_row", name=op.f("pk_memory_gaps")),
    )
    op.create_index(
        "ix_memory_gaps_source_id_check_at", "memory_gaps", ["source_id", "check_at"], unique=False
    )
    op.create_table(
        "memory_rows_set_aside",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.Column("session_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["memory_sources.id"],
            name=op.f("fk_memory_rows_set_aside_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source_id", "source_row", name=op.f("pk_memory_rows_set_aside")),
    )
    op.add_column(
        "chat_sessions", sa.Column("discounted_message_id", sa.BigInteger(), nullable=True)
    )
    op.add_column(
        "chat_sessions", sa.Column("discounted_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("messages", sa.Column("external_id", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("source_id", sa.Integer(), nullable=True))
    op.add_column("messages", sa.Column("source_row", sa.BigInteger(), nullable=True))
    op.add_column(
        "messages",
        sa.Column("is_checked", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.create_index(
        "ix_messages_unchecked",
        "messages",
        ["id"],
        unique=False,
        postgresql_where=sa.text("NOT is_checked"),
    )
    op.create_index(
        "uq_messages_session_id_external_id",
        "messages",
        ["session_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "uq_messages_source_id_source_row",
        "messages",
        ["source_id", "source_row"],
        unique=True,
        postgresql_where=sa.text("source_row IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_messages_source_id"), "messages", "memory_sources", ["source_id"], ["id"]
    )
    op.add_column(
        "sites",
        sa.Column(
            "exclusions", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
    )
    op.add_column("sites", sa.Column("memory_table", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "sites",
        sa.Column("partial_after_minutes", sa.Integer(), server_default="30", nullable=False),
    )
    # What is there already was judged when it was written; what comes has to say so.
    op.alter_column("messages", "is_checked", server_default=sa.text("false"))
    op.create_check_constraint(
        op.f("ck_messages_source"), "messages", "(source_id IS NULL) = (source_row IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_sites_partial_after"), "sites", "partial_after_minutes BETWEEN 0 AND 43200"
    )
    op.create_check_constraint(
        op.f("ck_session_events_kind"),
        "session_events",
        "kind IN ('completed', 'reopened', 'left_open')",
    )


def downgrade() -> None:
    raise NotImplementedError("This release's tables hold what cannot be made again.")
