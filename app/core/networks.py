"""Where addresses that people type may lead: into the public internet, and where we allow it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

#: Of addresses that carry an IPv4 address, the one that is reached: RFC 6052.
_NAT64 = ip_network("64:ff9b::/96")


class _Allowed:
    """Networks that may be reached besides the public ones. Set by `configure`."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()


def configure(outbound_allow: Sequence[str]) -> None:
    """Set by wiring. `outbound_allow`: networks, such as `10.0.0.0/8`."""
    _Allowed.networks = tuple(ip_network(each) for each in outbound_allow)


def may_be_typed(address: str) -> bool:
    """Whether an address somebody typed may lead to this IP address."""
    reached = _reached(ip_address(address))
    if any(reached in network for network in _Allowed.networks):
        return True
    return reached.is_global and not (
        reached.is_multicast
        or reached.is_reserved
        or reached.is_loopback
        or reached.is_link_local
        or reached.is_unspecified
        or (isinstance(reached, IPv6Address) and reached.is_site_local)
    )


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address in an IPv6 one that only wraps it."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
