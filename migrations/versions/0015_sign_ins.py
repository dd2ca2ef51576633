"""Sign-ins that end on the server, refresh tokens that rotate, and counts of wrong passwords by
pair of account and address.

Cookies and tokens from before name no sign-in, so everybody signs in once more. Counts from before
meant something else and are dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('browser', 'api')", name=op.f("ck_sign_ins_kind")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sign_ins_secret_hash")),
    )
    op.create_index(
        op.f("ix_sign_ins_user_id_kind_last_seen_at"),
        "sign_ins",
        ["user_id", "kind", "last_seen_at"],
        unique=False,
    )
    op.create_index(op.f("ix_sign_ins_expires_at"), "sign_ins", ["expires_at"], unique=False)
    op.execute("DELETE FROM sign_in_failures")
    op.add_column("sign_in_failures", sa.Column("account_hash", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_sign_in_failures_account_hash"), "sign_in_failures", ["account_hash"], unique=False
    )
    op.create_index(
        op.f("ix_sign_in_failures_last_at"), "sign_in_failures", ["last_at"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("This release's tables hold what cannot be made again.")
