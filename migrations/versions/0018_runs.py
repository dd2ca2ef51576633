"""One table for all long work.

Rows keep their ids, so a run that is under way is resumed by the job that waits for it. A back-test
that was saved is the run that carries out the change and begins at the save; on the way back that
is its start, too.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_FROM_SYNCS = """
    INSERT INTO runs (id, kind, status, user_id, started_at, heartbeat_at, runner, finished_at,
                      progress, position, report, error)
    SELECT id, 'manual_sync', status, user_id, started_at, heartbeat_at, runner, finished_at,
           progress, position, report, error
      FROM sync_runs
"""
_TO_SYNCS = """
    INSERT INTO sync_runs (id, status, user_id, started_at, heartbeat_at, runner, finished_at,
                           progress, position, report, error)
    SELECT id, CASE status WHEN 'cancelled' THEN 'failed' ELSE status END, user_id, started_at,
           heartbeat_at, runner, finished_at, progress, position, report, error
      FROM runs WHERE kind = 'manual_sync'
"""
_FROM_CHECKS = """
    INSERT INTO runs (id, kind, status, started_at, heartbeat_at, finished_at, progress,
                      parameters, report)
    SELECT gen_random_uuid(), 'check_everything', 'done', started_at, finished_at, finished_at, 1,
           '{"fix": false}', jsonb_build_object('findings', findings)
      FROM check_reports
"""
_TO_CHECKS = """
    INSERT INTO check_reports (started_at, finished_at, findings)
    SELECT started_at, finished_at, report -> 'findings'
      FROM runs WHERE kind = 'check_everything' AND status = 'done' ORDER BY finished_at
"""
# Checks that wait for a worker, are being done, or were quarantined: each gets its run.
_FROM_CHECK_JOBS = """
    WITH job AS MATERIALIZED (
        SELECT id, gen_random_uuid() AS run_id, args -> 'fix' AS fix FROM procrastinate_jobs
         WHERE task_name = 'check_everything' AND jsonb_exists(args, 'fix')
           AND status IN ('todo', 'doing', 'failed')
    ), made AS (
        INSERT INTO runs (id, kind, status, started_at, heartbeat_at, parameters)
        SELECT run_id, 'check_everything', 'running', now(), now(), jsonb_build_object('fix', fix)
          FROM job
    )
    UPDATE procrastinate_jobs j SET args = jsonb_build_object('run_id', job.run_id)
      FROM job WHERE j.id = job.id
"""
_TO_CHECK_JOBS = """
    UPDATE procrastinate_jobs j SET args = jsonb_build_object('fix', r.parameters -> 'fix')
      FROM runs r
     WHERE j.task_name = 'check_everything' AND r.id::text = j.args ->> 'run_id'
"""
_FROM_BACKTESTS = """
    INSERT INTO runs (id, kind, status, user_id, site_id, started_at, heartbeat_at, runner,
                      finished_at, progress, position, parameters, report, error)
    SELECT id, CASE WHEN saved_at IS NULL THEN 'backtest' ELSE 'apply_rules' END, status, user_id,
           site_id, coalesce(saved_at, started_at), heartbeat_at,
           CAST(position ->> 'runner' AS uuid), finished_at, progress,
           CASE WHEN jsonb_exists(position, 'after')
                THEN jsonb_build_object('after', position -> 'after') ELSE '{}' END,
           jsonb_build_object('phrases', phrases, 'exclusions', exclusions) || CASE
                WHEN saved_at IS NULL
                THEN jsonb_build_object('tested_against', position -> 'tested_against')
                ELSE jsonb_build_object('change', coalesce(position -> 'change', position)) END,
           jsonb_build_object('sessions_read', sessions_read, 'newly_count', newly_count,
                              'no_longer_count', no_longer_count),
           error
      FROM backtests
"""
# Once a change is carried out, only what was decided about the past is of use.
_TO_BACKTESTS = """
    INSERT INTO backtests (id, site_id, user_id, phrases, exclusions, status, started_at,
                           heartbeat_at, finished_at, saved_at, progress, position, sessions_read,
                           newly_count, no_longer_count, error)
    SELECT id, site_id, user_id, parameters -> 'phrases', parameters -> 'exclusions',
           CASE status WHEN 'cancelled' THEN 'failed' ELSE status END, started_at, heartbeat_at,
           finished_at, CASE kind WHEN 'apply_rules' THEN started_at END, progress,
           CASE WHEN kind = 'apply_rules' AND status = 'done'
                THEN jsonb_build_object('complete_past', parameters -> 'change' -> 'complete_past')
                ELSE (parameters - '{phrases,exclusions}'::text[]) || position || CASE
                     WHEN runner IS NULL THEN '{}' ELSE jsonb_build_object('runner', runner) END
                END,
           CAST(report ->> 'sessions_read' AS bigint), CAST(report ->> 'newly_count' AS int),
           CAST(report ->> 'no_longer_count' AS int), error
      FROM runs WHERE kind IN ('backtest', 'apply_rules')
"""
_RENAME_ARGUMENT = """
    UPDATE procrastinate_jobs
       SET args = args - '{before}' || jsonb_build_object('{after}', args -> '{before}')
     WHERE task_name IN ('backtest', 'apply_rules') AND jsonb_exists(args, '{before}')
"""


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("runner", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        _json("parameters"),
        _json("position"),
        _json("report"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('manual_sync', 'check_everything', 'backtest', 'apply_rules')",
            name=op.f("ck_runs_kind"),
        ),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'failed', 'cancelled')", name=op.f("ck_runs_status")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_runs_progress")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_runs_user_id")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_runs_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_site_id"), "runs", ["site_id"])
    op.create_index("ix_runs_kind_started_at", "runs", ["kind", "started_at"])
    op.create_index(
        "uq_runs_manual_sync",
        "runs",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("status = 'running' AND kind = 'manual_sync'"),
    )
    for statement in (
        _FROM_SYNCS,
        _FROM_CHECKS,
        _FROM_CHECK_JOBS,
        _FROM_BACKTESTS,
        _RENAME_ARGUMENT.format(before="backtest_id", after="run_id"),
    ):
        op.execute(statement)
    _let_findings_belong_to("runs")
    op.drop_table("backtests")
    op.drop_table("sync_runs")
    op.drop_table("check_reports")


def downgrade() -> None:
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("runner", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        _json("position"),
        _json("report"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'failed')", name=op.f("ck_sync_runs_status")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_sync_runs_progress")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sync_runs_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_runs")),
    )
    op.create_index(
        "uq_sync_runs_running",
        "sync_runs",
        ["status"],
        unique=True,
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "check_reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "findings", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_reports")),
    )
    op.create_table(
        "backtests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "phrases", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "exclusions", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        _json("position"),
        sa.Column("sessions_read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("newly_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("no_longer_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'failed')", name=op.f("ck_backtests_status")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_backtests_progress")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_backtests_site_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_backtests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtests")),
    )
    op.create_index(op.f("ix_backtests_site_id"), "backtests", ["site_id"], unique=False)
    for statement in (
        _TO_SYNCS,
        _TO_CHECKS,
        _TO_CHECK_JOBS,
        _TO_BACKTESTS,
        _RENAME_ARGUMENT.format(before="run_id", after="backtest_id"),
    ):
        op.execute(statement)
    _let_findings_belong_to("backtests")
    op.drop_table("runs")


def _let_findings_belong_to(table: str) -> None:
    name = op.f("fk_backtest_findings_backtest_id")
    op.drop_constraint(name, "backtest_findings", type_="foreignkey")
    op.create_foreign_key(
        name, "backtest_findings", table, ["backtest_id"], ["id"], ondelete="CASCADE"
    )


def _json(name: str) -> sa.Column[object]:
    return sa.Column(
        name, postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
    )
