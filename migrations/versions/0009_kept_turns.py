"""Turns that are being answered are kept by signs of life."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEEP_TURNS = """
CREATE FUNCTION keep_turns(p_tokens text[], p_until timestamptz) RETURNS bigint
LANGUAGE sql AS $$
    WITH kept AS (
        UPDATE turns SET expires_at = p_until
         WHERE token = ANY(p_tokens::uuid[]) AND expires_at < p_until RETURNING 1
    )
    SELECT count(*) FROM kept
$$
"""


def upgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(KEEP_TURNS)


def downgrade() -> None:
    op.execute("DROP FUNCTION keep_turns")
