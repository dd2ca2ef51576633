"""The count of a site's day is taken and settled in one round trip (app/chat/assistant_day)."""

from alembic import op

revision = "0010b"
down_revision = "0010"
branch_labels = None
depends_on = None

# Nobody waits for the disk: a crash of the database may lose the count of its last moment.
TAKE = """
CREATE FUNCTION take_of_assistant_day(
    p_site text, p_day date, p_assistant text, p_tokens bigint, p_cost bigint,
    p_most_turns int, p_most_tokens bigint, p_most_cost bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO assistant_days AS d (site_id, day, assistant, turns, tokens, cost_micros)
    SELECT p_site::uuid, p_day, p_assistant, 1, p_tokens, p_cost
     WHERE p_most_turns > 0 AND p_tokens <= coalesce(p_most_tokens, p_tokens)
       AND p_cost <= coalesce(p_most_cost, p_cost)
    ON CONFLICT (site_id, day, assistant) DO UPDATE
       SET turns = d.turns + 1, tokens = d.tokens + p_tokens, cost_micros = d.cost_micros + p_cost
     WHERE d.turns < p_most_turns
       AND (p_most_tokens IS NULL OR d.tokens + p_tokens <= p_most_tokens)
       AND (p_most_cost IS NULL OR d.cost_micros + p_cost <= p_most_cost);
    RETURN FOUND;
END
$$
"""
SETTLE = """
CREATE FUNCTION settle_assistant_day(
    p_site text, p_day date, p_assistant text, p_tokens bigint, p_cost bigint,
    p_answered int, p_first_word_ms bigint, p_whole_ms bigint, p_failure text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE assistant_days
       SET tokens = tokens + p_tokens, cost_micros = cost_micros + p_cost,
           answered = answered + p_answered, first_word_ms = first_word_ms + p_first_word_ms,
           whole_ms = whole_ms + p_whole_ms,
           failed = CASE WHEN p_failure IS NULL THEN failed ELSE
               jsonb_set(failed, ARRAY[p_failure],
                         to_jsonb(coalesce((failed ->> p_failure)::int, 0) + 1)) END
     WHERE site_id = p_site::uuid AND day = p_day AND assistant = p_assistant;
END
$$
"""


def upgrade() -> None:
    for statement in (TAKE, SETTLE):
        op.get_bind().execution_options(no_parameters=True).exec_driver_sql(statement)


def downgrade() -> None:
    for name in ("settle_assistant_day", "take_of_assistant_day"):
        op.execute(f"DROP FUNCTION {name}")
