from __future__ import annotations

import pytest

from app.accounts import passwords
from app.core.errors import Invalid


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "at least 8"),
        ("x" * 501, "at most 500"),
        ("Password123", "most used"),
        ("qwertyuiop", "most used"),
        ("zzzzzzzzzz", "most used"),
        ("ann@example.com", "not your name"),
        ("Ann Lee-Smith", "not your name"),
    ],
)
def test_what_is_easily_guessed_is_refused(password: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.hash_password(password, email="ann@example.com", name="Ann Leesmith")
    assert words in refused.value.errors["password"][0]


def test_a_password_is_right_or_not_whatever_characters_it_has() -> None:
    kept = passwords.hash_password("pässwörter \ud800 aus Köln")
    assert passwords.is_right(kept, "pässwörter \ud800 aus Köln")
    assert not passwords.is_right(kept, "passwörter")
    assert not passwords.is_right(None, "")
