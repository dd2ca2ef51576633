"""At most a few requests of a session wait behind its running turn, over all processes.

`turns.waits` holds for each waiting request the time at which it gives up, so a slot whose process
died frees itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# No row: no such session. No message_id: refused and not stored, because a turn is running and
# p_most_waiting requests wait behind it, or p_most_unanswered messages. is_new false: this client
# id was stored before. is_new and not is_ours: the message is stored and takes a waiting slot.
# A turn whose lease broke is not taken here: `chat.turn_store.claim` counts how often it did.
# p_leases: how many seconds a turn of each assistant is leased, {"scripted": 10}.
STORE_MESSAGE = """
CREATE FUNCTION store_message(
    p_session_id uuid, p_client_id uuid, p_text text, p_now timestamptz, p_token uuid,
    p_leases json, p_most_lines int, p_wait_until timestamptz, p_most_waiting int,
    p_most_unanswered int
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
    v_is_free boolean;
    v_waits timestamptz[];
    v_unanswered int;
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
    is_new := false;
    is_ours := false;
    SELECT t.token IS NULL AND t.breaks = 0 AND t.expires_at <= said_at,
           ARRAY(SELECT w FROM unnest(t.waits) w WHERE w > p_now)
      INTO v_is_free, v_waits FROM turns t WHERE t.session_id = p_session_id;
    IF NOT v_is_free THEN
        SELECT count(*) INTO v_unanswered FROM messages m
         WHERE m.session_id = p_session_id AND m.role = 'visitor'
           AND m.id > coalesce((SELECT m2.id FROM messages m2
                                 WHERE m2.session_id = p_session_id AND m2.role = 'assistant'
                                 ORDER BY m2.id DESC LIMIT 1), 0);
        IF (cardinality(v_waits) >= p_most_waiting OR v_unanswered >= p_most_unanswered)
           AND NOT EXISTS (SELECT FROM messages m WHERE m.session_id = p_session_id
                              AND m.client_id = p_client_id) THEN
            RETURN NEXT;
            RETURN;
        END IF;
    END IF;
    INSERT INTO messages (session_id, role, text, created_at, client_id, is_checked)
    VALUES (p_session_id, 'visitor', p_text, said_at, p_client_id, true)
    ON CONFLICT (session_id, client_id) WHERE client_id IS NOT NULL DO NOTHING
    RETURNING id INTO message_id;
    is_new := message_id IS NOT NULL;
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
        token = CASE WHEN v_is_free THEN excluded.token ELSE turns.token END,
        expires_at = CASE WHEN v_is_free THEN excluded.expires_at ELSE turns.expires_at END,
        waits = CASE WHEN v_is_free THEN v_waits ELSE v_waits || p_wait_until END
    RETURNING turns.token IS NOT DISTINCT FROM p_token INTO is_ours;
    IF is_ours THEN
        lines := turn_lines(p_session_id, p_most_lines);
    END IF;
    RETURN NEXT;
END
$$
"""

# The function as migration 0014 left it.
STORE_MESSAGE_BEFORE = """
CREATE FUNCTION store_message(
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

_BEFORE = "uuid, uuid, text, timestamptz, uuid, json, int"
_NOW = f"{_BEFORE}, timestamptz, int, int"


def upgrade() -> None:
    op.add_column(
        "turns",
        sa.Column(
            "waits",
            sa.ARRAY(sa.DateTime(timezone=True)),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.execute(f"DROP FUNCTION store_message({_BEFORE})")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(STORE_MESSAGE)


def downgrade() -> None:
    op.execute(f"DROP FUNCTION store_message({_NOW})")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(STORE_MESSAGE_BEFORE)
    op.drop_column("turns", "waits")
