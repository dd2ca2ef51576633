"""A turn's messages say whether they were judged for completion; catching up is claimed.

A visitor's message that comes through the widget is the newest of its session: it completes
nothing, so it counts as judged.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# p_leases: how many seconds each kind of assistant may take, {"scripted": 10}.
# No row: no such session. is_new false: this client id was stored before.
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
        token = CASE WHEN turns.expires_at <= said_at THEN excluded.token ELSE turns.token END,
        expires_at = CASE WHEN turns.expires_at <= said_at THEN excluded.expires_at
                          ELSE turns.expires_at END
    RETURNING turns.token = p_token INTO is_ours;
    IF is_ours THEN
        lines := turn_lines(p_session_id, p_most_lines);
    END IF;
    RETURN NEXT;
END
$$
"""

# No row: the lease of this token was lost.
STORE_REPLY = """
CREATE FUNCTION store_reply(
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
        UPDATE turns t SET token = NULL, expires_at = said_at WHERE t.session_id = p_session_id;
    END IF;
    RETURN NEXT;
END
$$
"""


# One request in p_seconds, over all processes, may catch up. is_behind: the last one left work;
# wait_seconds: how long nobody need ask again.
CLAIM_CATCH_UP = """
CREATE FUNCTION claim_catch_up(p_seconds float)
RETURNS TABLE (is_ours boolean, is_behind boolean, wait_seconds float)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_next timestamptz;
BEGIN
    SELECT c.next_at, c.is_behind INTO v_next, is_behind FROM catch_up c WHERE c.id = 1;
    is_ours := false;
    wait_seconds := greatest(extract(epoch FROM v_next - clock_timestamp()), 0);
    IF v_next IS NULL OR v_next <= clock_timestamp() THEN
        INSERT INTO catch_up AS c (id, next_at)
        VALUES (1, clock_timestamp() + make_interval(secs => p_seconds))
        ON CONFLICT (id) DO UPDATE SET next_at = excluded.next_at
         WHERE c.next_at <= clock_timestamp()
        RETURNING true INTO is_ours;
        is_ours := coalesce(is_ours, false);
        wait_seconds := CASE WHEN is_ours THEN p_seconds ELSE 0 END;
        is_behind := coalesce(is_behind, false);
    END IF;
    RETURN NEXT;
END
$$
"""


def upgrade() -> None:
    op.execute("DROP FUNCTION store_reply")
    for statement in (STORE_MESSAGE, STORE_REPLY, CLAIM_CATCH_UP):
        op.get_bind().execution_options(no_parameters=True).exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("The functions of before know nothing of judged messages.")
