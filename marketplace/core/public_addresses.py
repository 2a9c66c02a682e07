"""Which hosts and IP addresses are on the public internet, decided purely.

An address that a partner typed must never lead into a private network. What is not known to be
public is refused: of IPv6 only what is handed out as global unicast, without the blocks in it that
carry an IPv4 address inside (6to4, Teredo) or that nobody can reach.
"""

import ipaddress
import re
from collections.abc import Sequence

import idna

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# IANA's special-purpose registries; Python's own is_global differs between its patch releases.
_REFUSED_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; 0.0.0.0 reaches the machine itself
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their metadata service
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
# Names that never leave a house, so that a person reads why before anything is looked up.
_LOCAL_SUFFIXES = ("localhost", "local", "localdomain", "internal", "home.arpa", "lan", "onion")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


class HostRefusedError(ValueError):
    """The host may not be called; the text says why, for a person."""


def is_public(address: IPAddress) -> bool:
    """Whether the address is on the public internet and stands for nothing else."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_IPV4)
    if address.scope_id is not None:
        return False
    return address in _GLOBAL_IPV6 and not any(address in network for network in _REFUSED_IPV6)


def is_allowed(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    """Whether the operator lets the address through by name of its network."""
    return any(address.version == network.version and address in network for network in networks)


def literal_address(host: str) -> IPAddress | None:
    """The IP address that a normal host is (IPv6 without its brackets), or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def normal_host(host: str, networks: Sequence[IPNetwork] = ()) -> str:
    """The host of an address as it is looked up: lower case, ASCII, without a last dot.

    `host` is as urlsplit gives it, an IPv6 address without brackets. Names are not looked up here.
    Raises HostRefusedError for what cannot be public.
    """
    if ":" in host:
        return _normal_ipv6(host, networks)
    name = _ascii_name(host).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _normal_ipv4(name, networks)
    if not all(_LABEL.fullmatch(label) for label in labels) or len(name) > 253:
        raise HostRefusedError("The host name is not valid.")
    if any(name == suffix or name.endswith("." + suffix) for suffix in _LOCAL_SUFFIXES):
        raise HostRefusedError("The address must be on the public internet, not a local name.")
    if len(labels) == 1:
        raise HostRefusedError("The host name needs a domain, such as hooks.example.com.")
    return name


def _ascii_name(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        # UTS 46 turns full-width digits and dots into plain ones, as a browser does.
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        raise HostRefusedError("The host name is not valid.") from None


def _normal_ipv4(name: str, networks: Sequence[IPNetwork]) -> str:
    # 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 are all 127.0.0.1 to the system's resolver.
    try:
        address = ipaddress.IPv4Address(name)
    except ValueError:
        raise HostRefusedError("Write the IP address as four numbers, or use a name.") from None
    _refuse_private(address, networks)
    return str(address)


def _normal_ipv6(host: str, networks: Sequence[IPNetwork]) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise HostRefusedError("The IPv6 address is not valid.") from None
    _refuse_private(address, networks)
    return str(address)


def _refuse_private(address: IPAddress, networks: Sequence[IPNetwork]) -> None:
    if not (is_public(address) or is_allowed(address, networks)):
        raise HostRefusedError(
            "The address must be on the public internet, not in a private or reserved network."
        )
