"""Which addresses and host names requests must not go to. Pure."""

import re
import unicodedata
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

IPAddress = IPv4Address | IPv6Address

# The special-purpose registry of IANA (RFC 6890), multicast, and what clouds put elsewhere.
_REFUSED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers; metadata service of Alibaba Cloud
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # host services of Azure, in the middle of public space
        "169.254.0.0/16",  # link-local; metadata service of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; metadata service of Oracle Cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Nothing outside 2000::/3 is global unicast (RFC 4291 2.4): loopback, IPv4-compatible and
# IPv4-translated, local NAT64, unique local, link-local, site-local, multicast, segment routing.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_REFUSED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, deprecated: any IPv4 address can hide in it
        "3ffe::/16",  # 6bone, returned
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")

# Behind a proxy these are judged by their text alone: RFC 6761, 6762, 8375 and ICANN's .internal.
_PRIVATE_NAME = re.compile(r"(?:.*\.)?(?:localhost|localdomain|local|internal|home\.arpa)")
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_FULL_STOPS = str.maketrans("\u3002\uff0e\uff61", "...")


def is_refused(address: IPAddress) -> bool:
    """Return whether `address` is anything but a public unicast address.

    IPv4-mapped and NAT64 addresses (RFC 6052) are what the IPv4 address inside them is; all other
    forms that carry an IPv4 address are refused. So is every address with a zone id.
    """
    if isinstance(address, IPv4Address):
        return any(address in network for network in _REFUSED_IPV4)
    if address.scope_id is not None:
        return True
    embedded = _embedded_ipv4(address)
    if embedded is not None:
        return is_refused(embedded)
    return address not in _GLOBAL_UNICAST or any(address in network for network in _REFUSED_IPV6)


def is_refused_host(host: str) -> bool:
    """Tell from its text alone whether `host`, without brackets, is none to send requests to."""
    # Numbers that are no plain dotted quad (127.1, 0x7f000001, 0177.0.0.1) are refused whatever
    # they mean: programs that read URLs do not agree on it.
    name = fold_host(host)
    literal = parse_literal(name)
    if literal is not None:
        return is_refused(literal)
    if not _NAME.fullmatch(name):
        return True
    return bool(_NUMBER.fullmatch(name) or _PRIVATE_NAME.fullmatch(name))


def fold_host(host: str) -> str:
    """Return `host` as a resolver gets it: ASCII, lower case, no trailing dot.

    Digits, letters and dots of other widths and shapes become plain ones (UTS #46), other
    characters become punycode. The result is empty when that cannot be done.
    """
    folded = unicodedata.normalize("NFKC", host.translate(_FULL_STOPS)).lower()
    try:
        encoded = folded if folded.isascii() else httpx.URL(scheme="http", host=folded).raw_host
    except httpx.InvalidURL:
        return ""
    name = encoded if isinstance(encoded, str) else encoded.decode("ascii")
    return name.removesuffix(".")


def parse_literal(host: str) -> IPAddress | None:
    """Return the address that `host` spells out (dotted quad or IPv6), None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped
