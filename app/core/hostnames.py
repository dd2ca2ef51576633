"""Bring a host into the ASCII form that is stored, compared and sent, or the form people read.

A host with letters outside ASCII travels as IDNA (RFC 5891), mapped as browsers map it (UTS #46,
non-transitional): an HTTP header can hold nothing else.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import urlsplit

import idna

LONGEST_HOST = 253
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_DEFAULT_PORT = {"http": 80, "https": 443}


def ascii_host(host: str) -> str:
    """`münchen.example`, `MÜNCHEN.example.` and `xn--mnchen-3ya.example` as the last of them; an
    IP address without brackets. A leading `*.` stays. Raises ValueError for what is no host.
    """
    if ":" in host:
        return str(IPv6Address(host))
    if len(host) > LONGEST_HOST + 1:
        raise ValueError("too long for a host")
    found = host.lower()
    if not found.isascii():
        star = "*." if found.startswith("*.") else ""
        found = star + idna.encode(found.removeprefix(star), uts46=True).decode()
    found = found.removesuffix(".")
    if len(found) > LONGEST_HOST or not _HOST.fullmatch(found):
        raise ValueError("not a host")
    return found


def readable_host(host: str) -> str:
    """The host with each IDNA label in its own letters; a label that is no valid IDNA stays."""
    return ".".join(_readable_label(label) for label in host.split("."))


def ascii_origin(address: str) -> str | None:
    """`https://example.com:8443` of a web address, comparable: its host by `ascii_host`, a port
    only where it is not the scheme's own. None when it has no origin.
    """
    try:
        parts = urlsplit(address)
        scheme, port, host = parts.scheme, parts.port, ascii_host(parts.hostname or "")
    except ValueError:  # brackets without an IPv6 address, a port or host that is none
        return None
    if scheme not in _DEFAULT_PORT or port == 0:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + (f":{port}" if port and port != _DEFAULT_PORT[scheme] else "")


def ascii_email(address: str) -> str:
    """The address with its domain in ASCII; unchanged where there is no such domain.

    `address` may be `Name <a@b.c>`.
    """
    local, at, rest = address.rpartition("@")
    domain = rest.removesuffix(">")
    if not at or domain.isascii():
        return address
    try:
        return f"{local}@{ascii_host(domain)}{rest[len(domain) :]}"
    except ValueError:
        return address


def _readable_label(label: str) -> str:
    if not label.lower().startswith("xn--"):
        return label
    try:
        return idna.decode(label)
    except UnicodeError:
        return label
