"""Search in messages and leads, and an index for every filter of the session list.

Every statement may have been run beforehand, one by one and CONCURRENTLY: docs/operations.md.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Punctuation parts words, which `to_tsvector` alone sees otherwise: "bath/shower" is a path to it.
MESSAGE_WORDS = r"""
CREATE OR REPLACE FUNCTION message_words(body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT to_tsvector('simple'::regconfig, translate(body,
           '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '))
$$
"""
# A phone number is also found by its digits alone, however it was written.
LEAD_WORDS = """
CREATE OR REPLACE FUNCTION lead_words(name text, email text, phone text, company text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(coalesce(name, '') || E'\\n' || coalesce(email, '') || E'\\n' ||
           coalesce(company, '') || E'\\n' || coalesce(phone, '') || E'\\n' ||
           translate(coalesce(phone, ''), '+-./() ', ''))
$$
"""
# Every two and every three characters that stand side by side.
TEXT_PIECES = """
CREATE OR REPLACE FUNCTION text_pieces(whole text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(whole, i, n)), '{}')
      FROM generate_series(2, 3) n CROSS JOIN generate_series(1, length(whole) - n + 1) i
$$
"""
IN_ORDER = "completion_status, archive_status, qa_status, started_at DESC, id DESC"
INDEXES = (
    "ix_messages_words ON messages USING gin (message_words(text)) WITH (fastupdate = off)",
    "ix_leads_pieces ON leads USING gin (text_pieces(lead_words(name, email, phone, company)))",
    "ix_leads_without_contact ON leads (session_id) WHERE email IS NULL AND phone IS NULL",
    "ix_deliveries_not_arrived ON deliveries (session_id, status)"
    " WHERE lead_id IS NOT NULL AND status IN ('pending', 'failed', 'dead', 'unknown')",
    f"ix_chat_sessions_statuses ON chat_sessions ({IN_ORDER})",
    f"ix_chat_sessions_site ON chat_sessions (site_id, {IN_ORDER})",
    f"ix_chat_sessions_channel ON chat_sessions (channel, {IN_ORDER})",
)


def upgrade() -> None:
    # Of the session that builds, for this transaction only; the indexes are built several times
    # as fast.
    op.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for statement in (MESSAGE_WORDS, LEAD_WORDS, TEXT_PIECES):
        op.execute(statement)
    for index in INDEXES:
        op.execute(f"CREATE INDEX IF NOT EXISTS {index}")
    # The one by site and time does its work, too.
    op.drop_index("ix_chat_sessions_site_id", "chat_sessions", if_exists=True)


def downgrade() -> None:
    op.create_index("ix_chat_sessions_site_id", "chat_sessions", ["site_id"])
    for index in INDEXES:
        op.drop_index(index.split()[0])
    for function in (
        "message_words(text)",
        "lead_words(text, text, text, text)",
        "text_pieces(text)",
    ):
        op.execute(f"DROP FUNCTION {function}")
