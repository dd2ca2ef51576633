"""A host has one form that is compared and sent, and one that people read."""

from __future__ import annotations

import pytest

from app.core.hostnames import ascii_email, ascii_host, ascii_origin, readable_host

SAME = [
    ("münchen.example", "xn--mnchen-3ya.example"),
    ("MÜNCHEN.Example.", "xn--mnchen-3ya.example"),
    ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
    ("mu\u0308nchen.example", "xn--mnchen-3ya.example"),
    ("faß.example", "xn--fa-hia.example"),
    ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
    ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
    ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv"),
    ("www．example．com", "www.example.com"),
    ("WWW.Example.COM", "www.example.com"),
    ("my_host", "my_host"),
    ("r3---sn.example", "r3---sn.example"),
    ("*.münchen.example", "*.xn--mnchen-3ya.example"),
    ("192.0.2.7", "192.0.2.7"),
    ("2001:DB8::0:1", "2001:db8::1"),
]
NO_HOST = [
    "", ".", "..", "a..b", "-a.example", "a-.example", "a b", "a/b", "a@b", "a'b", "a;b", "a\nb",
    "ü" * 64 + ".example", "a" * 64 + ".example", "a." * 127 + "example", "\u202eexample.com",
    "☃\u0000.example", "xn--\udcff.example", "ü*.example", "1:2:3", "fe80::1]x",
    "ü" * 100_000, "a" * 100_000, "\u0301a.example", "א1a.example",
]  # fmt: skip


@pytest.mark.parametrize(("typed", "host"), SAME)
def test_every_way_to_write_a_host_is_one(typed: str, host: str) -> None:
    assert ascii_host(typed) == host
    assert host.isascii()
    assert ascii_host(readable_host(host)) == host


@pytest.mark.parametrize("typed", NO_HOST, ids=range(len(NO_HOST)))
def test_what_is_no_host_is_a_value_error(typed: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        ascii_host(typed)
    assert ascii_origin(f"https://{typed}") is None or {*typed} & {*"@/\n"}


def test_a_host_is_shown_in_its_own_letters() -> None:
    assert readable_host("xn--mnchen-3ya.example") == "münchen.example"
    assert readable_host("xn--zzzzzz-99999999.example") == "xn--zzzzzz-99999999.example"
    assert readable_host("www.example.com") == "www.example.com"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://MÜNCHEN.example:443/a?b#c", "https://xn--mnchen-3ya.example"),
        ("http://münchen.example:8080", "http://xn--mnchen-3ya.example:8080"),
        ("HTTPS://a.example./", "https://a.example"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]"),
        ("https://u:p@a.example/", "https://a.example"),
        ("ftp://a.example", None),
        ("https://a.example:0", None),
        ("https://a.example:x", None),
        ("https://[bad", None),
        ("https://℀.example", None),
        ("//a.example", None),
        ("", None),
        ("\udc80", None),
    ],
)
def test_an_origin_is_comparable(address: str, origin: str | None) -> None:
    assert ascii_origin(address) == origin


def test_mail_goes_to_the_ascii_form_of_a_domain() -> None:
    assert ascii_email("ann@münchen.example") == "ann@xn--mnchen-3ya.example"
    assert ascii_email("Jürgen <ann@münchen.example>") == "Jürgen <ann@xn--mnchen-3ya.example>"
    assert ascii_email("ann@example.com") == "ann@example.com"
    assert ascii_email("no address") == "no address"
