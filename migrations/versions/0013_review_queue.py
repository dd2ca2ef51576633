"""The review queue: who is next, and who is looking at what."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_chat_sessions_to_check",
        "chat_sessions",
        ["site_id", "completion_status", "started_at", "id"],
        unique=False,
        postgresql_where=sa.text("qa_status = 'unchecked' AND archive_status = 'active'"),
    )
    op.create_index(
        "ix_qa_notices_recipient_sent_at", "qa_notices", ["recipient", "sent_at"], unique=False
    )
    op.create_index("ix_qa_moves_at", "qa_moves", ["at"], unique=False)
    op.create_table(
        "qa_looks",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat_sessions.id"],
            name=op.f("fk_qa_looks_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_qa_looks_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_qa_looks")),
    )
    op.create_index(op.f("ix_qa_looks_session_id"), "qa_looks", ["session_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("This release's tables hold what cannot be made again.")
