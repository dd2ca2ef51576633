"""The reports of one incident are found without reading those of all."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_incident_reports_incident_id", "incident_reports", ["incident_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_incident_reports_incident_id", "incident_reports")
