"""Passwords: which ones are good enough, their hashes, and telling whether one is right."""

from __future__ import annotations

import re
import secrets
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from app.accounts import hashing
from app.core.errors import Invalid

SHORTEST = 8
LONGEST = 500
COMMON = "This is one of the most used passwords, so it is guessed first. Please choose another."
OWN = "Please choose a password that is not your name or e-mail."
#: What a hash costs: 32 MB and about 0.1 s of a processor (werkzeug's own choice).
METHOD = "scrypt:32768:8:1"


def hash_password(password: str, *, email: str = "", name: str = "") -> str:
    """What is stored of a password. Raises Invalid with the field `password` when it is too short,
    among the most used ones, or its owner's own e-mail or name.
    """
    if len(password) < SHORTEST:
        raise Invalid({"password": [f"Please use at least {SHORTEST} characters."]})
    if len(password) > LONGEST:
        raise Invalid({"password": [f"Please use at most {LONGEST} characters."]})
    if password.lower() in _most_used() or len(set(password)) == 1:
        raise Invalid({"password": [COMMON]})
    if _letters(password) in _names(email, name):
        raise Invalid({"password": [OWN]})
    with hashing.slot_of_new_passwords:
        return generate_password_hash(_storable(password), METHOD)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether it is that password. Takes equally long where there is none."""
    nobodys_hash = f"{METHOD}$nobody${'0' * 128}"
    is_match = check_password_hash(password_hash or nobodys_hash, _storable(password[:LONGEST]))
    return is_match and password_hash is not None


def generate() -> str:
    """Four groups of four letters and digits: 79 bits that a person can type."""
    return groups(4)


def groups(number: int) -> str:
    """So many groups of four letters and digits; none that is taken for another."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(number))


def _storable(password: str) -> str:
    return password.encode("utf-8", "replace").decode()


def _names(email: str, name: str) -> set[str]:
    """What a user is called, as `_letters` has it."""
    return {_letters(each) for each in (email, email.partition("@")[0], name)} - {""}


def _letters(text: str) -> str:
    """Without case, spaces and signs."""
    return re.sub(r"[\W_]", "", text.lower())


@cache
def _most_used() -> frozenset[str]:
    """The 30,000 passwords that leaks show most often: the list of zxcvbn (Wheeler 2016)."""
    # Its words of several languages take 17 MB, which only a process that sets passwords needs.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
