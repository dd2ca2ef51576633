"""What is sealed can be read with the SECRET_KEY, an older one too, and with nothing else."""

from __future__ import annotations

from app.core.crypto import configure_sealing, seal, unseal


def test_what_is_sealed_cannot_be_read_but_opened() -> None:
    configure_sealing(["new"])
    secret = "Bearer of a secret that no base64 holds by chance"
    sealed = seal(secret)
    assert "secret" not in sealed
    assert unseal(sealed) == secret
    assert seal(secret) != sealed


def test_an_older_key_still_opens_and_a_lost_one_does_not() -> None:
    configure_sealing(["old"])
    sealed = seal("Bearer 123")
    configure_sealing(["new", "old"])
    assert unseal(sealed) == "Bearer 123"
    configure_sealing(["new"])
    assert unseal(sealed) is None
    assert unseal("something else") is None
