"""What a site's assistant may be set to: the AssistantSettings by their names, and its access."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate

from app.sites.kinds import Amount, Host, Prose, Text, WebAddress, WholeNumber

ASSISTANTS = ("scripted", "n8n", "openai")
#: How we show the site's own N8n chat who we are.
ACCESS_KINDS = ("none", "header", "basic")
MOST_LINK_HOSTS = 50
#: What every request has anyway, by its own rules.
TAKEN_HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept"}
)


def _is_free(value: str) -> None:
    if value.lower() in TAKEN_HEADERS:
        raise ValidationError("This header is taken: use one of your own, like X-Api-Key.")


class AssistantSchema(Schema):
    """Bounds that keep a chat a chat: nobody waits for minutes, and nothing costs without end."""

    assistant = Text(
        validate=validate.OneOf(ASSISTANTS, error=f"Use one of: {', '.join(ASSISTANTS)}.")
    )

    first_word_seconds = WholeNumber(1, 60)
    answer_seconds = WholeNumber(2, 120)

    chat_url = WebAddress()
    chat_access = Text(
        validate=validate.OneOf(ACCESS_KINDS, error=f"Use one of: {', '.join(ACCESS_KINDS)}.")
    )
    chat_header_name = Text(
        validate=[
            validate.Regexp(
                r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{0,100}\Z",
                error="Use a header's name, like X-Api-Key.",
            ),
            _is_free,
        ]
    )
    chat_header_value = Text(
        validate=validate.Regexp(
            r"^[\x20-\x7e]{0,4000}\Z", error="Use plain characters only: letters, digits and signs."
        )
    )
    chat_user = Text(
        validate=validate.Regexp(
            r"^[^:\n\t]{0,200}\Z", error="Use at most 200 characters, and no colon."
        )
    )
    chat_password = Prose(500)

    model = Text(
        validate=validate.Regexp(
            r"^\S{0,200}\Z", error="Use the model's name, like gpt-4.1-mini: no spaces."
        )
    )
    business = Prose(4_000)
    tone = Prose(300)
    instructions = Prose(4_000)
    history_tokens = WholeNumber(200, 50_000)
    answer_tokens = WholeNumber(50, 4_000)
    price_in = Amount(0, 1_000)
    price_out = Amount(0, 1_000)

    session_turns = WholeNumber(1, 1_000)
    session_tokens = WholeNumber(2_000, 10_000_000)
    session_money = Amount(0.01, 1_000)
    day_turns = WholeNumber(1, 1_000_000)
    day_tokens = WholeNumber(2_000, 1_000_000_000)
    day_money = Amount(0.01, 100_000)

    link_hosts = fields.List(
        Host(),
        validate=validate.Length(
            max=MOST_LINK_HOSTS, error=f"Please give at most {MOST_LINK_HOSTS} hosts."
        ),
    )
