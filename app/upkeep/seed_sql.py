"""The statements of `seed`: one chunk of made-up sessions with all that belongs to them.

Chance is a hash of the seed, the session's number and what is decided, so that the same seed gives
the same sessions whatever plan the database chooses.
"""

# ruff: noqa: S608 - put together from constants
from __future__ import annotations


def chance(decision: int, of: str = "s.g") -> str:
    """An SQL number from 0 to 1, even, by this decision about the session (or `of`)."""
    return f"((hashint8extended({of}, :seed + {decision}) & 1073741823)::float8 / 1073741824)"


def one_of(array: str, decision: int, of: str = "s.g") -> str:
    return f"({array})[1 + floor({chance(decision, of)} * cardinality({array}))::int]"


# A word of 200,000, some often and most hardly ever, as names of things and places are.
_RANK = f"floor(exp({chance(22, 'g * 100 + n')} * ln(200000)))::int"
_SYLLABLES = (
    "ARRAY['ka','ber','li','mon','nu','ra','ste','ti','vo','du','fal','gi','ho','jan','ku','le']"
)
RARE_WORD = f"""CASE WHEN {chance(23, "g * 100 + n")} < 0.5 THEN '' ELSE (
    SELECT ' ' || initcap(string_agg(({_SYLLABLES})[1 + (r.rank / (16 ^ p)::int) % 16], ''
                                     ORDER BY p)) || '.'
      FROM (SELECT {_RANK} AS rank) r
     CROSS JOIN generate_series(0, 1 + floor(log(16, r.rank))::int) p) END"""

SITES = """
    CREATE TEMPORARY TABLE seed_sites (
        number int PRIMARY KEY, id uuid, greeting text, visitor text[], assistant text[],
        phrase text, confirmation text, first_names text[], last_names text[], dial text
    ) ON COMMIT DROP
"""
ADD_SITE = """
    INSERT INTO seed_sites VALUES (:number, :id, :greeting, :visitor, :assistant, :phrase,
           :confirmation, :first_names, :last_names, :dial)
"""
# kind: o opened only, t talk, p unfinished lead, c completed, h completed by hand, r reopened.
# Rows of N8n's memory belong to the site of its table, number 0.
SESSIONS = f"""
    CREATE TEMPORARY TABLE seed_sessions ON COMMIT DROP AS
    WITH drawn AS (
        SELECT s.g, {chance(1)} AS what, {chance(2)} AS via, {chance(3)} AS length,
               {chance(4)} AS longer, {chance(5)} AS age, 5 + 40 * {chance(6)} AS gap
          FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS s (g)
    ), sorted AS (
        SELECT *, md5(:seed || ' session ' || g)::uuid AS id,
               CASE WHEN via < 0.75 THEN 'web' WHEN via < 0.90 THEN 'n8n'
                    WHEN via < 0.97 THEN 'api' ELSE 'messenger' END AS channel,
               CASE WHEN what < 0.05 THEN 'o' WHEN what < 0.70 THEN 't' WHEN what < 0.78 THEN 'p'
                    WHEN what < 0.985 THEN 'c' WHEN what < 0.995 THEN 'h' ELSE 'r' END AS kind
          FROM drawn
    ), placed AS (
        SELECT s.*, w.id AS site_id, w.phrase,
               CASE WHEN kind = 'o' THEN 1 ELSE 3 + 2 * floor(length * 8.4)::int END AS lines
          FROM sorted s JOIN seed_sites w ON w.number = CASE WHEN channel = 'n8n' THEN 0
               ELSE floor({chance(7)} * (SELECT count(*) FROM seed_sites))::int END
    ), begun AS (
        SELECT *, CASE WHEN kind NOT IN ('c', 'r') THEN NULL
                       WHEN lines >= 5 AND longer < 0.3 THEN lines - 2 ELSE lines END AS promised,
               CAST(:now AS timestamptz) - interval '1 hour' - age * interval '730 days' AS began
          FROM placed
    )
    SELECT *, began + (lines - 1) * gap * interval '1 second' AS ended,
           CASE WHEN promised IS NOT NULL THEN began + (promised - 1) * gap * interval '1 second'
                WHEN kind IN ('h', 'p') THEN began + lines * gap * interval '1 second'
           END AS decided
      FROM begun
"""
LINES = f"""
    CREATE TEMPORARY TABLE seed_lines ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('messages', 'id')) AS id, {{row}} AS source_row, said.*
      FROM (SELECT s.id AS session_id, g, n, n = s.promised AS is_promise, s.channel,
                   CASE WHEN n % 2 = 1 THEN 'assistant' ELSE 'visitor' END AS role,
                   s.began + (n - 1) * s.gap * interval '1 second' AS at,
                   CASE WHEN n = 1 THEN w.greeting WHEN n = s.promised THEN w.confirmation
                        WHEN n % 2 = 0
                        THEN {one_of("w.visitor", 20, "g * 100 + n")} || {RARE_WORD}
                        ELSE {one_of("w.assistant", 20, "g * 100 + n")} END AS words
              FROM seed_sessions s JOIN seed_sites w ON w.id = s.site_id
              CROSS JOIN LATERAL generate_series(1, s.lines) n
             ORDER BY g, n) said
"""
NO_ROW = "NULL::bigint"
NEXT_ROW = """CASE WHEN channel = 'n8n'
    THEN nextval(pg_get_serial_sequence('{table}', 'id')) END"""
_DAYS_AGO = "CAST(:now AS timestamptz) - interval"
INSERT_SESSIONS = f"""
    INSERT INTO chat_sessions (id, site_id, channel, external_session_id, visitor_id, started_at,
           last_message_at, message_count, assistant_engaged, completion_status, completed_at,
           completion_cause, completion_phrase, completion_message_id, archive_status, qa_status,
           attribution, locale, draft, discounted_message_id, discounted_until)
    SELECT s.id, s.site_id, s.channel,
           CASE WHEN s.channel <> 'web' THEN 'seed-' || :seed || '-' || s.g END,
           'seed-' || :seed || '-' || s.g, s.began, s.ended, s.lines, s.lines > 1,
           CASE WHEN s.kind IN ('c', 'h') THEN 'completed' ELSE 'in_progress' END,
           CASE WHEN s.kind IN ('c', 'h') THEN s.decided END,
           CASE WHEN s.kind = 'c' THEN {{cause}} WHEN s.kind = 'h' THEN 'user' END,
           CASE WHEN s.kind = 'c' THEN s.phrase END, CASE WHEN s.kind = 'c' THEN p.id END,
           CASE WHEN s.began < {_DAYS_AGO} '90 days' AND {chance(8)} < 0.25
                THEN 'archived' ELSE 'active' END,
           CASE WHEN {chance(9)} < 0.6 THEN 'unchecked' WHEN {chance(9)} < 0.9 THEN 'passed'
                WHEN {chance(9)} < 0.95 THEN 'issue' ELSE 'fixed' END,
           CASE WHEN s.channel <> 'web' THEN '{{{{}}}}'::jsonb
                ELSE jsonb_build_object('landing_url', 'https://www.example.com/offers',
                'utm_source', {one_of("ARRAY['google','facebook','newsletter','bing']", 10)},
                'utm_medium', {one_of("ARRAY['cpc','social','e-mail']", 11)},
                'utm_campaign', {one_of("ARRAY['spring','brand','summer-sale']", 12)}) END,
           NULL, '{{{{}}}}'::jsonb,
           CASE WHEN s.kind = 'r' THEN l.newest END,
           CASE WHEN s.kind = 'r' THEN s.ended + interval '1 hour' END
      FROM seed_sessions s
      LEFT JOIN seed_lines p ON p.session_id = s.id AND p.is_promise
      LEFT JOIN seed_lines e ON e.session_id = s.id AND e.n = s.lines
      CROSS JOIN LATERAL (SELECT e.id AS newest) l
     ORDER BY s.g
"""
CAUSE = f"""(CASE WHEN s.channel = 'n8n' THEN 'auto_sync' WHEN {chance(13)} < 0.9 THEN 'live'
    WHEN {chance(13)} < 0.97 THEN 'sweep' ELSE 'manual_sync' END)"""
INSERT_MESSAGES = """
    INSERT INTO messages (id, session_id, role, text, created_at, source_id, source_row, is_checked)
    SELECT id, session_id, role, words, at,
           CASE WHEN source_row IS NOT NULL THEN CAST(:source AS int) END, source_row, true
      FROM seed_lines ORDER BY id
"""
INSERT_EVENTS = """
    INSERT INTO session_events (session_id, at, kind, cause, phrase, message_id)
    SELECT s.id, k.at, k.kind, k.cause, k.phrase, k.message_id
      FROM seed_sessions s LEFT JOIN seed_lines p ON p.session_id = s.id AND p.is_promise
      CROSS JOIN LATERAL (
        SELECT 1 AS nth, s.decided AS at, 'completed' AS kind,
               CASE WHEN s.kind = 'h' THEN 'user' ELSE {cause} END AS cause,
               CASE WHEN s.kind <> 'h' THEN s.phrase END AS phrase, p.id AS message_id
        UNION ALL
        SELECT 2, s.ended + interval '1 hour', 'reopened', 'user', NULL, NULL WHERE s.kind = 'r') k
     WHERE s.kind IN ('c', 'h', 'r') ORDER BY s.g, k.nth
"""
LEADS = f"""
    INSERT INTO leads (id, session_id, name, email, phone, qualification, missing, invalid,
           created_at, updated_at, awaits_partial)
    SELECT md5(:seed || ' lead ' || s.g)::uuid, s.id,
           {one_of("w.first_names", 14)} || ' ' || {one_of("w.last_names", 15)},
           'visitor' || s.g || '@example.com',
           CASE WHEN {chance(16)} < 0.6 THEN w.dial || lpad(floor({chance(17)} * 1e6)::int::text, 6,
                '0') END, '{{}}', '[]', '[]', s.decided, s.decided, false
      FROM seed_sessions s JOIN seed_sites w ON w.id = s.site_id
     WHERE s.kind IN ('c', 'h', 'r', 'p') ORDER BY s.g
"""
# What happened to each lead, with the lead event's own number.
HAPPENED = f"""
    CREATE TEMPORARY TABLE seed_happened ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('lead_events', 'id')) AS id, h.* FROM (
        SELECT s.g, s.id AS session_id, md5(:seed || ' lead ' || s.g)::uuid AS lead_id, s.site_id,
               s.channel, e.event, e.at,
               CASE WHEN {chance(18)} < 0.2 THEN ARRAY['n8n', 'console'] ELSE ARRAY['n8n'] END
               AS keys
          FROM seed_sessions s CROSS JOIN LATERAL (
            SELECT 1 AS nth, CASE WHEN s.kind = 'p' THEN 'lead.partial' ELSE 'lead.completed' END
                   AS event, s.decided AS at
            UNION ALL
            SELECT 2, 'lead.updated', s.decided + interval '20 minutes'
             WHERE s.kind = 'c' AND {chance(19)} < 0.1) e
         WHERE s.kind IN ('c', 'h', 'r', 'p') ORDER BY s.g, e.nth) h
"""
INSERT_HAPPENED = """
    INSERT INTO lead_events (id, lead_id, event, at, destinations)
    SELECT id, lead_id, event, at, to_jsonb(keys) FROM seed_happened ORDER BY id
"""
_TRIES = chance(21, "h.g * 10 + length(h.event)")
SENT = f"""
    CREATE TEMPORARY TABLE seed_sent ON COMMIT DROP AS
    SELECT md5(h.lead_id || h.event || k.key)::uuid AS id, k.key, h.id AS event_id, h.g,
           h.event, h.at, h.lead_id, h.session_id, h.site_id, h.channel,
           CASE WHEN {_TRIES} < 0.9 THEN 1 WHEN {_TRIES} < 0.98 THEN 3
                ELSE 5 END AS tries
      FROM seed_happened h CROSS JOIN LATERAL unnest(h.keys) AS k (key)
"""
INSERT_DELIVERIES = """
    INSERT INTO deliveries (id, destination_key, event, lead_id, session_id, lead_event_id, body,
           status, attempt_count, created_at, finished_at)
    SELECT t.id, t.key, t.event, t.lead_id, t.session_id, t.event_id,
           json_build_object('type', t.event, 'timestamp', t.at, 'data', json_build_object(
             'lead', json_build_object('id', l.id, 'name', l.name, 'email', l.email,
               'phone', l.phone, 'company', NULL, 'qualification', '{}'::json, 'consent', NULL,
               'missing', '[]'::json, 'invalid', '[]'::json),
             'session', json_build_object('id', t.session_id, 'channel', t.channel),
             'attribution', '{}'::json, 'transcript', '[]'::json))::text,
           CASE WHEN t.tries = 5 THEN 'dead' ELSE 'delivered' END, t.tries, t.at,
           t.at + (t.tries - 1) * interval '5 minutes' + interval '1 second'
      FROM seed_sent t JOIN leads l ON l.id = t.lead_id ORDER BY t.event_id, t.key
"""
INSERT_ATTEMPTS = """
    INSERT INTO delivery_attempts (delivery_id, at, duration_ms, status_code, error, answer)
    SELECT t.id, t.at + (n - 1) * interval '5 minutes' + interval '1 second', 40 + 7 * n,
           CASE WHEN n = t.tries AND t.tries < 5 THEN 200 ELSE 503 END,
           CASE WHEN n = t.tries AND t.tries < 5 THEN NULL ELSE 'refused' END,
           CASE WHEN n = t.tries AND t.tries < 5 THEN '{"ok": true}' ELSE 'try later' END
      FROM seed_sent t CROSS JOIN LATERAL generate_series(1, t.tries) n ORDER BY t.event_id, n
"""
INSERT_ROWS = """
    INSERT INTO {table} (id, session_id, message)
    SELECT source_row, 'seed-' || :seed || '-' || g, jsonb_build_object('type',
           CASE role WHEN 'visitor' THEN 'human' ELSE 'ai' END, 'content', words,
           'additional_kwargs', '{{}}'::jsonb, 'response_metadata', '{{}}'::jsonb)
      FROM seed_lines WHERE source_row IS NOT NULL ORDER BY source_row
"""
DROP = "DROP TABLE IF EXISTS seed_sent, seed_happened, seed_lines, seed_sessions, seed_sites"
