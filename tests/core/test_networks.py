"""Where an address that somebody typed may lead."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from app.core import http, networks
from app.core.networks import may_be_typed


@pytest.fixture(autouse=True)
def _nothing_allowed() -> Iterator[None]:
    networks.configure(())
    yield
    networks.configure(())


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_public_addresses_may_be_typed(address: str) -> None:
    assert may_be_typed(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",  # noqa: S104 - never bound
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:7f00:1::1",
        "2001:db8::1",
    ],
)
def test_everything_within_ones_own_walls_may_not(address: str) -> None:
    assert not may_be_typed(address)


def test_what_is_allowed_may_be_typed_however_it_is_wrapped() -> None:
    networks.configure(("10.1.0.0/16", "fd00::/8"))
    assert may_be_typed("10.1.2.3")
    assert may_be_typed("::ffff:10.1.2.3")
    assert may_be_typed("fd00::7")
    assert not may_be_typed("10.2.0.1")
    assert not may_be_typed("127.0.0.1")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0"]
)
def test_nothing_is_sent_to_an_address_that_may_not_be_reached(host: str) -> None:
    with pytest.raises(http.OutboundError) as caught:
        http.send("GET", f"http://{host}:9/", may_reach=may_be_typed)
    assert caught.value.kind == "forbidden"


def _answers(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have names looked up with these answers, one after the other. Gives what was looked up."""
    left, asked = list(answers), []

    def look_up(host: str, port: int, **_options: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_is_looked_up_once_and_that_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks.configure(("127.0.0.1/32",))
    asked = _answers(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    with pytest.raises(http.OutboundError) as caught:
        http.send("GET", "http://rebinding.example:1/", may_reach=may_be_typed)
    assert caught.value.kind == "refused"
    assert asked == ["rebinding.example"]


def test_of_several_addresses_only_those_that_may_be_reached_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks.configure(("192.0.2.0/24",))
    tried = []
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: tried.append(address))
    _answers(monkeypatch, ["127.0.0.1", "192.0.2.7", "10.0.0.1"])
    http.connect("several.example", 80, time.monotonic() + 5, may_be_typed).close()
    assert tried == [("192.0.2.7", 80)]
