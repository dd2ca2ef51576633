"""Count what keeps stopping its process, so that it harms only itself.

Why and how: docs/decisions/0017-a-poison-job-harms-only-itself.md.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# An assistant's view of a session: its newest lines, oldest first, without those over which a turn
# was given up.
TURN_LINES = """
CREATE OR REPLACE FUNCTION turn_lines(p_session_id uuid, p_most int) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_agg(json_build_array(m.id, m.role, m.text, m.created_at, m.input ->> 'field')
                    ORDER BY m.created_at, m.id)
      FROM (SELECT id, role, text, created_at, input FROM messages
             WHERE session_id = p_session_id
               AND id > (SELECT s.read_after_id FROM chat_sessions s WHERE s.id = p_session_id)
             ORDER BY id DESC LIMIT p_most) m
$$
"""

# p_leases: how many seconds each kind of assistant may take, {"scripted": 10}.
# No row: no such session. is_new false: this client id was stored before.
# A turn whose lease broke is not taken here: `chat.turn_store.claim` counts how often it did.
STORE_MESSAGE = """
CREATE OR REPLACE FUNCTION store_message(
    p_session_id uuid, p_client_id uuid, p_text text, p_now timestamptz, p_token uuid,
    p_leases json, p_most_lines int
) RETURNS TABLE (
    message_id bigint, said_at timestamptz, said text, is_new boolean, is_ours boolean,
    site_id uuid, site_updated_at timestamptz, completion_status text, draft jsonb,
    locale text, timezone text, lines json
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_assistant text;
    v_last timestamptz;
    v_expires timestamptz;
BEGIN
    SELECT s.site_id, s.last_message_at, s.completion_status, s.draft, s.locale, s.timezone,
           si.updated_at, si.assistant
      INTO site_id, v_last, completion_status, draft, locale, timezone,
           site_updated_at, v_assistant
      FROM chat_sessions s JOIN sites si ON si.id = s.site_id
     WHERE s.id = p_session_id FOR UPDATE OF s;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    said_at := greatest(p_now, v_last);
    said := p_text;
    INSERT INTO messages (session_id, role, text, created_at, client_id, is_checked)
    VALUES (p_session_id, 'visitor', p_text, said_at, p_client_id, true)
    ON CONFLICT (session_id, client_id) WHERE client_id IS NOT NULL DO NOTHING
    RETURNING id INTO message_id;
    is_new := message_id IS NOT NULL;
    is_ours := false;
    IF NOT is_new THEN
        SELECT m.id, m.created_at, m.text INTO message_id, said_at, said FROM messages m
         WHERE m.session_id = p_session_id AND m.client_id = p_client_id;
        RETURN NEXT;
        RETURN;
    END IF;
    UPDATE chat_sessions s SET message_count = s.message_count + 1, last_message_at = said_at
     WHERE s.id = p_session_id;
    v_expires := said_at + make_interval(secs => (p_leases ->> v_assistant)::float);
    INSERT INTO turns (session_id, message_id, token, expires_at)
    VALUES (p_session_id, message_id, p_token,
            coalesce(v_expires, said_at + interval '60 seconds'))
    ON CONFLICT (session_id) DO UPDATE SET
        message_id = excluded.message_id,
        token = CASE WHEN turns.token IS NULL AND turns.breaks = 0 AND turns.expires_at <= said_at
                     THEN excluded.token ELSE turns.token END,
        expires_at = CASE WHEN turns.token IS NULL AND turns.breaks = 0
                               AND turns.expires_at <= said_at
                          THEN excluded.expires_at ELSE turns.expires_at END
    RETURNING turns.token IS NOT DISTINCT FROM p_token INTO is_ours;
    IF is_ours THEN
        lines := turn_lines(p_session_id, p_most_lines);
    END IF;
    RETURN NEXT;
END
$$
"""

# No row: the lease of this token was lost.
STORE_REPLY = """
CREATE OR REPLACE FUNCTION store_reply(
    p_session_id uuid, p_token uuid, p_text text, p_now timestamptz, p_read_through bigint,
    p_input jsonb, p_draft jsonb, p_is_checked boolean
) RETURNS TABLE (message_id bigint, said_at timestamptz, completion_status text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_last timestamptz;
    v_newest bigint;
BEGIN
    SELECT s.last_message_at, s.completion_status INTO v_last, completion_status
      FROM chat_sessions s WHERE s.id = p_session_id FOR UPDATE;
    SELECT t.message_id INTO v_newest FROM turns t
     WHERE t.session_id = p_session_id AND t.token = p_token;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    said_at := greatest(p_now, v_last);
    INSERT INTO messages (session_id, role, text, created_at, reply_to_id, input, is_checked)
    VALUES (p_session_id, 'assistant', p_text, said_at, p_read_through, p_input, p_is_checked)
    RETURNING id INTO message_id;
    UPDATE chat_sessions s
       SET message_count = s.message_count + 1, last_message_at = said_at,
           assistant_engaged = true, draft = p_draft
     WHERE s.id = p_session_id;
    IF v_newest <= p_read_through THEN
        DELETE FROM turns t WHERE t.session_id = p_session_id;
    ELSE
        -- A message came meanwhile: the turn is due, for whoever asks first.
        UPDATE turns t SET token = NULL, expires_at = said_at, breaks = 0
         WHERE t.session_id = p_session_id;
    END IF;
    RETURN NEXT;
END
$$
"""

# A process that is being stopped gives its turns back: they are due, and nothing broke.
RELEASE_TURNS = """
CREATE FUNCTION release_turns(p_tokens text[], p_now timestamptz) RETURNS bigint
LANGUAGE sql AS $$
    WITH released AS (
        UPDATE turns SET token = NULL, expires_at = p_now
         WHERE token = ANY(p_tokens::uuid[]) RETURNING 1
    )
    SELECT count(*) FROM released
$$
"""

# Committed before the rows are read. p_row 0: a whole batch. Gives how often it was begun.
BEGIN_MEMORY_READ = """
CREATE FUNCTION begin_memory_read(p_source int, p_row bigint, p_now timestamptz) RETURNS int
LANGUAGE sql AS $$
    INSERT INTO memory_reads AS r (source_id, row_id, started_at) VALUES (p_source, p_row, p_now)
    ON CONFLICT (source_id, row_id) DO UPDATE SET tries = r.tries + 1, started_at = p_now
    RETURNING tries
$$
"""

FORGET_MEMORY_READS = """
CREATE FUNCTION forget_memory_reads(p_source int) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM memory_reads WHERE source_id = p_source
$$
"""


def upgrade() -> None:
    op.add_column("turns", sa.Column("breaks", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "chat_sessions",
        sa.Column("read_after_id", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.add_column(
        "deliveries", sa.Column("interruptions", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_table(
        "job_deaths",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("task_name", sa.Text(), nullable=False),
        sa.Column("deaths", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deaths_alone", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_job_id", sa.BigInteger(), nullable=True),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "deaths >= deaths_alone AND deaths_alone >= 0", name=op.f("ck_job_deaths_deaths")
        ),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_job_deaths")),
    )
    op.create_table(
        "evaluation_claims",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_evaluation_claims")),
    )
    op.create_table(
        "memory_reads",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="1", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "row_id", name=op.f("pk_memory_reads")),
    )
    for statement in (
        TURN_LINES,
        STORE_MESSAGE,
        STORE_REPLY,
        RELEASE_TURNS,
        BEGIN_MEMORY_READ,
        FORGET_MEMORY_READS,
    ):
        op.get_bind().execution_options(no_parameters=True).exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("Going back would forget which messages must not be read again.")
