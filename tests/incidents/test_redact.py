"""What is kept of an outside error names nobody and opens nothing."""

from __future__ import annotations

import pytest

from app.incidents.redact import LONGEST_READ, bare_url, redact

#: A text and what of it must be gone.
TAKEN_OUT = [
    ("Could not mail ann.lee+web@example.com today", "ann.lee"),
    ("Could not mail ann%40example.com today", "ann"),
    ("Could not mail “jürgen@müller.example”", "jürgen"),
    ("Could not mail ann at example dot com", "ann"),
    ("Nobody answers at +44 20 7946 0958.", "7946"),
    ("Nobody answers at (020) 7946-0958.", "7946"),
    ("Nobody answers at 02079460958.", "0207"),
    ("Nobody answers at ٠٢٠٧٩٤٦٠٩٥٨.", "٧٩٤٦"),
    ("Authorization: Bearer abc.def", "abc"),
    ("It sent Bearer abc.def-123", "abc"),
    ("It sent basic YW5uOmh1bnRlcjI=", "YW5u"),
    ('headers: {"X-Our-Thing": "open sesame"}', "sesame"),
    ('"x-api-key":"short"', "short"),
    ('{"headers": {"our-door": "open sesame"}, "a": 1}', "sesame"),
    (r"{\"headers\":{\"our-door\":\"open sesame\"", "sesame"),
    ("password=hunter2", "hunter2"),
    ("the password is hunter2", "hunter2"),
    ("Incorrect API key provided: abcd1234****wxyz", "abcd"),
    (r"{\"password\":\"hun\"}", "hun"),
    ("Cookie: sid=abc; theme=dark", "dark"),
    ("sk-proj-abcdefghijk was refused", "abcdefghijk"),
    ("ghp_abcdefghijklmnop was refused", "abcdefghijk"),
    ("whsec_MfKQ9r8GKYqrTwjU was refused", "MfKQ"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln expired", "eyJ"),
    ("-----BEGIN PRIVATE KEY-----\nabc\ndef\n-----END PRIVATE KEY-----", "abc"),
    ("GET https://ann:hunter2@host.example/a failed", "hunter2"),
    ("postgresql://app:hunter2@db:5432/app failed", "hunter2"),
    ("GET https://host.example/a?code=77&x=y failed", "77"),
    ("No session 5f1e2d3c-aaaa-bbbb-cccc-1234567890ab here", "5f1e2d3c"),
    ("No page AbCdEf1234567890xyz here", "AbCdEf"),
    ('{"name":"Ann Lee","age":3}', "Ann Lee"),
    ('{"chatInput":"I am Ann, \\"really\\"","age":3}', "really"),
    ("customer_name=Ann Lee, step=3", "Ann Lee"),
    ("Key (email)=(Ann Lee) already exists.", "Ann Lee"),
    ("Key (first_name, last_name)=(Ann, Lee (Mrs)) already exists.", "Mrs"),
    ("Failing row contains (7, Ann Lee, null).", "Ann Lee"),
]
#: What a person needs to understand an error.
KEPT = [
    "Request failed with status code 401",
    "connect ECONNREFUSED 127.0.0.1:5678",
    "getaddrinfo ENOTFOUND api.example.com",
    "Cannot read properties of undefined (reading 'email')",
    'duplicate key value violates unique constraint "leads_email_key"',
    "The operation timed out after 300000 ms on 2026-11-22T17:12:00Z",
    "Error: 'Lead' is missing: please check step 4",
    "The basic information is wrong",
    "Nothing at https://host.example/webhook/lead",
    "Zażółć gęślą jaźń, 予約できません 😀",
]


@pytest.mark.parametrize(("text", "gone"), TAKEN_OUT, ids=[text[:30] for text, _ in TAKEN_OUT])
def test_contact_details_secrets_and_ids_are_taken_out(text: str, gone: str) -> None:
    assert gone in text
    assert gone not in redact(text)


@pytest.mark.parametrize("text", KEPT)
def test_what_explains_the_error_is_kept(text: str) -> None:
    assert redact(text) == text


def test_the_words_around_a_secret_are_kept() -> None:
    text = 'Could not mail ann@example.com: {"token":"abc"} https://u:p@host.example/a?b=c'
    assert redact(text) == ('Could not mail [e-mail]: {"token":[secret]} https://host.example/a')


@pytest.mark.parametrize(
    "detail", ["ann.lee@example.com", '{"name":"Ann Lee"}', "+44 20 7946 0958"]
)
def test_a_detail_that_is_cut_in_two_by_the_limit_is_not_shown(detail: str) -> None:
    for left in range(1, len(detail)):
        text = "a1" * ((LONGEST_READ - left) // 2) + " " + detail + " and what comes late" * 50
        assert redact(text) in ("", "[id]"), left


def test_what_cannot_be_stored_or_seen_is_taken_out() -> None:
    assert redact("a\x00b\ud800c\u202ed\x1b[0m\nline") == "abcd[0m\nline"


def test_a_long_text_is_cut_with_a_sign() -> None:
    assert redact("word " * 1000, longest=20) == "word word word word…"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (
            "http://127.0.0.1:5678/workflow/a/executions/7",
            "http://127.0.0.1:5678/workflow/a/executions/7",
        ),
        ("https://u:p@n8n.example/executions/7?token=1#x", "https://n8n.example/executions/7"),
        ("https://[::1]:5678/executions/7", "https://[::1]:5678/executions/7"),
        ("javascript:alert(1)", None),
        ("https://host:port/workflow", None),
        ("https://host.example/ann@example.com", None),
        ("https://host.example/\nx", None),
        ("//host.example/x", None),
        ("https://", None),
        ("https://h/" + "a" * 3000, None),
        ("", None),
        (None, None),
    ],
)
def test_of_an_address_only_where_it_leads_is_kept(url: str | None, kept: str | None) -> None:
    assert bare_url(url) == kept
