"""Of all that is said about where a request comes from, only a trusted proxy's word counts."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.forwarded import Forwarded

PEER = "192.0.2.1"


def seen(proxies: int, peer: str = PEER, **headers: str) -> dict[str, Any]:
    """What the application sees of a request with these headers."""
    environ: dict[str, Any] = {
        "REMOTE_ADDR": peer,
        "HTTP_HOST": "chat.example.com",
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a",
        "SERVER_PORT": "8000",
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    found: dict[str, Any] = {}

    def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        found.update(environ)
        return []

    Forwarded(app, proxies)(environ, lambda *_: lambda _: None)
    return found


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "2001:0DB8:0:0::0001", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        (1, "1.1.1.1,2.2.2.2 ,  203.0.113.7  ", "203.0.113.7"),
        (2, "1.1.1.1, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (3, "203.0.113.7:1, 10.0.0.2, 10.0.0.1", "203.0.113.7"),
        # Fewer have spoken than there should be: it came past one of them.
        (2, "203.0.113.7", PEER),
        (3, "203.0.113.7, 10.0.0.1", PEER),
        # No address: never the one before it, which anybody can write.
        (1, "1.1.1.1, unknown", PEER),
        (1, "1.1.1.1, ", PEER),
        (1, "1.1.1.1, 999.1.1.1", PEER),
        (1, "_hidden", PEER),
        (1, "203.0.113.7 \x00", PEER),
        (1, "x" * 100_000, PEER),
        (1, "1.1.1.1," * 30_000 + "203.0.113.7", "203.0.113.7"),
        (1, "", PEER),
        (0, "203.0.113.7", PEER),
        (0, "203.0.113.7, 1.1.1.1", PEER),
    ],
)
def test_the_address_is_what_the_outermost_trusted_proxy_saw(
    proxies: int, told: str, address: str
) -> None:
    assert seen(proxies, X_Forwarded_For=told)["REMOTE_ADDR"] == address


@pytest.mark.parametrize(
    ("peer", "address"),
    [("::ffff:192.0.2.1", PEER), ("fe80::1%eth0", "fe80::1"), ("", ""), (PEER, PEER)],
)
def test_the_peers_own_address_is_normalised_too(peer: str, address: str) -> None:
    for proxies in (0, 1):
        assert seen(proxies, peer)["REMOTE_ADDR"] == address


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_nothing_else_is_believed(proxies: int) -> None:
    plain = seen(proxies)
    found = seen(
        proxies,
        Forwarded="for=203.0.113.7;proto=https;host=evil.example",
        X_Forwarded_Prefix="/x",
        X_Forwarded_Port="443",
        X_Forwarded_Ssl="on",
        X_Forwarded_Protocol="ssl",
        X_Script_Name="/x",
        Script_Name="/x",
        X_Original_Url="/login",
        X_Rewrite_Url="/login",
        X_Real_Ip="203.0.113.7",
        Client_Ip="203.0.113.7",
        Remote_Addr="203.0.113.7",
        Remote_User="admin",
    )
    assert {name: found[name] for name in plain} == plain
    assert "REMOTE_USER" not in found


def test_scheme_and_host_are_told_by_the_proxy() -> None:
    told = {"X_Forwarded_Proto": "http, HTTPS", "X_Forwarded_Host": "evil.example, a.example:8443"}
    assert seen(1, **told)["wsgi.url_scheme"] == "https"
    assert seen(1, **told)["HTTP_HOST"] == "a.example:8443"
    assert seen(0, **told)["wsgi.url_scheme"] == "http"
    assert seen(0, **told)["HTTP_HOST"] == "chat.example.com"


@pytest.mark.parametrize("host", ["evil.example/path", "a b", "a@b", "x" * 300, "[zz]", "a\\b", ""])
def test_a_host_that_is_none_is_not_taken(host: str) -> None:
    assert seen(1, X_Forwarded_Host=host)["HTTP_HOST"] == "chat.example.com"


@pytest.mark.parametrize("scheme", ["javascript", "ftp", "", "https "])
def test_a_scheme_is_one_of_two(scheme: str) -> None:
    assert seen(1, X_Forwarded_Proto=scheme)["wsgi.url_scheme"] in ("http", "https")
