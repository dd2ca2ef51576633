"""Normalize a caller's network address, so that one caller is counted as one."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::\d{1,5})?")
_IPV4_WITH_PORT = re.compile(r"([0-9.]{7,15}):\d{1,5}")
#: The longest text of an IPv6 address is 45 characters; a zone or a port adds a few.
_LONGEST = 64
#: A provider gives one subscriber a whole /64, so that is one caller.
_IPV6_SUBSCRIBER_PREFIX = 64


@lru_cache(maxsize=4096)
def client_address(text: str) -> str:
    """The IP address in `text` in its canonical form, or "" when it holds none.

    Understands what proxies put into X-Forwarded-For: `1.2.3.4`, `1.2.3.4:5678`, `[2001:db8::1]`,
    `[2001:db8::1]:5678`, IPv4-mapped IPv6 (`::ffff:1.2.3.4`) and a zone (`fe80::1%eth0`).
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return ""
    matched = _BRACKETED.fullmatch(text) or _IPV4_WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((matched[1] if matched else text).partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


@lru_cache(maxsize=4096)
def rate_key(text: str) -> str:
    """What a caller's address is counted under: an IPv4 address, or the /64 of an IPv6 one.

    Everything that is no address shares one key, "".
    """
    address = client_address(text)
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, _IPV6_SUBSCRIBER_PREFIX), strict=False))
