"""The review desk: QA moves, who may get in and how, saved views, people's changes, the log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_failures")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column(
            "details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_entries_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        "ix_audit_entries_at_id",
        "audit_entries",
        [sa.text("at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_audit_entries_object", "audit_entries", ["object_type", "object_id"], unique=False
    )
    op.create_index("ix_audit_entries_user_id_at", "audit_entries", ["user_id", "at"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"], unique=False)
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "page IN ('sessions', 'leads', 'deliveries')", name=op.f("ck_saved_views_page")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_saved_views_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint(
            "user_id", "page", "name", name=op.f("uq_saved_views_user_id_page_name")
        ),
    )
    op.create_table(
        "user_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("purpose IN ('invite', 'reset')", name=op.f("ck_user_links_purpose")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_user_links_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_links_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_links_token_hash")),
    )
    op.create_index(op.f("ix_user_links_user_id"), "user_links", ["user_id"], unique=False)
    op.create_table(
        "qa_moves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("from_status", sa.Text(), nullable=False),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "category IN ('wrong_answer', 'misunderstood', 'missed_booking', 'wrong_details',"
            " 'tone', 'technical', 'other')",
            name=op.f("ck_qa_moves_category"),
        ),
        sa.CheckConstraint(
            "from_status IN ('unchecked', 'passed', 'issue', 'fixed')",
            name=op.f("ck_qa_moves_from_status"),
        ),
        sa.CheckConstraint(
            "to_status <> 'fixed' OR note IS NOT NULL", name=op.f("ck_qa_moves_fixed")
        ),
        sa.CheckConstraint(
            "to_status <> 'issue' OR (note IS NOT NULL AND category IS NOT NULL)",
            name=op.f("ck_qa_moves_issue"),
        ),
        sa.CheckConstraint(
            "to_status IN ('unchecked', 'passed', 'issue', 'fixed')",
            name=op.f("ck_qa_moves_to_status"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat_sessions.id"],
            name=op.f("fk_qa_moves_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_qa_moves_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_moves")),
    )
    op.create_index("ix_qa_moves_session_id_id", "qa_moves", ["session_id", "id"], unique=False)
    op.create_table(
        "lead_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_lead_changes_lead_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_lead_changes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_changes")),
    )
    op.create_index(op.f("ix_lead_changes_lead_id"), "lead_changes", ["lead_id"], unique=False)
    op.create_table(
        "qa_notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("move_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('qa.issue', 'qa.fixed')", name=op.f("ck_qa_notices_kind")),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_qa_notices_delivery_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["move_id"], ["qa_moves.id"], name=op.f("fk_qa_notices_move_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_notices")),
    )
    op.create_index(op.f("ix_qa_notices_delivery_id"), "qa_notices", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_qa_notices_move_id"), "qa_notices", ["move_id"], unique=False)
    op.create_index(
        "ix_qa_notices_waiting",
        "qa_notices",
        ["recipient", "id"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.add_column(
        "leads",
        sa.Column(
            "edited", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    )
    op.add_column("leads", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    for key in ("email", "phone"):
        op.create_index(
            f"ix_leads_{key}_created_at",
            "leads",
            [key, "created_at"],
            postgresql_where=sa.text(f"{key} IS NOT NULL"),
        )
    op.create_index(
        "ix_leads_created_at_id",
        "leads",
        [sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.execute(LEADS_OF_PERSON)
    op.create_index(
        "ix_deliveries_destination_status",
        "deliveries",
        ["destination_key", "status", sa.text("created_at DESC"), sa.text("number DESC")],
        unique=False,
    )
    op.create_index(
        "ix_deliveries_given_up",
        "deliveries",
        [sa.text("created_at DESC"), sa.text("number DESC")],
        unique=False,
        postgresql_where=sa.text("status IN ('dead', 'unknown')"),
    )
    columns = ["visitor_id", "started_at"]
    op.create_index("ix_chat_sessions_visitor_id_started_at", "chat_sessions", columns)
    op.add_column("users", sa.Column("theme", sa.Text(), server_default="system", nullable=False))
    op.add_column(
        "users",
        sa.Column("wants_notices", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column("users", sa.Column("totp_secret", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("totp_enabled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.alter_column("users", "password_hash", existing_type=sa.TEXT(), nullable=True)
    _recheck("ck_session_events_kind", "session_events", "kind", KINDS)
    _recheck("ck_deliveries_event", "deliveries", "event", EVENTS)


def downgrade() -> None:
    raise NotImplementedError("This release's tables hold what cannot be made again.")


# Whose leads are one person's: those that share an e-mail or a phone number, and whatever shares
# one with these; one may come twice. What was only kept as typed (`invalid`) is nobody's sign; the
# caller gives None for it. At most `most` e-mails and numbers are followed, each to its `most`
# newest leads, so that a number that thousands gave costs no more than others; NULL: all of them.
LEADS_OF_PERSON = """
CREATE OR REPLACE FUNCTION leads_of_person(an_email text, a_phone text, most int)
RETURNS TABLE (id uuid, created_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 3 AS $$
    WITH RECURSIVE signs (kind, value) AS (
        SELECT * FROM (VALUES ('email', an_email), ('phone', a_phone)) AS given (kind, value)
         WHERE value IS NOT NULL
        UNION
        SELECT other.kind, other.value FROM signs CROSS JOIN LATERAL (
            (SELECT 'phone', l.phone FROM leads l
              WHERE signs.kind = 'email' AND l.email = signs.value
                AND l.phone IS NOT NULL AND NOT l.invalid @> '["phone"]'
              ORDER BY l.created_at DESC LIMIT most)
            UNION ALL
            (SELECT 'email', l.email FROM leads l
              WHERE signs.kind = 'phone' AND l.phone = signs.value
                AND l.email IS NOT NULL AND NOT l.invalid @> '["email"]'
              ORDER BY l.created_at DESC LIMIT most)
        ) AS other (kind, value)
    )
    SELECT l.id, l.created_at FROM (SELECT * FROM signs LIMIT most) AS followed
     CROSS JOIN LATERAL (
        (SELECT one.id, one.created_at FROM leads one
          WHERE followed.kind = 'email' AND one.email = followed.value
          ORDER BY one.created_at DESC LIMIT most)
        UNION ALL
        (SELECT one.id, one.created_at FROM leads one
          WHERE followed.kind = 'phone' AND one.phone = followed.value
          ORDER BY one.created_at DESC LIMIT most)
    ) AS l
$$
"""
KINDS = ("completed", "reopened", "left_open", "archived", "activated")
EVENTS = (
    "lead.completed",
    "lead.updated",
    "lead.partial",
    "lead.test",
    "lead.erased",
    "qa.issue",
    "qa.fixed",
    "qa.digest",
    "user.invited",
    "user.reset",
    "user.notice",
)


def _recheck(name: str, table: str, column: str, values: tuple[str, ...]) -> None:
    op.drop_constraint(name, table)
    op.create_check_constraint(op.f(name), table, f"{column} IN {values}")
