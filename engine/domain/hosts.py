"""Which hosts the product may call, and at which addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit

Address = IPv4Address | IPv6Address
PORTS = {"http": 80, "https": 443}
_LABELS = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_KEPT = "/%:@!$&'()*+,;=~-._?"
_TRANSLATED = ip_network("64:ff9b::/96")
_GLOBAL = ip_network("2000::/3")


@dataclass(frozen=True)
class Target:
    """Where a web address leads. `path` has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


def read_target(url: str) -> Target:
    """The target of an http or https address. Raises ValueError."""
    if _UNSAFE.search(url):
        raise ValueError("spaces, control characters or a backslash")
    parts = urlsplit(url)
    if parts.scheme not in PORTS:
        raise ValueError("neither http nor https")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name in the address")
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    path = quote(parts.path or "/", safe=_KEPT.replace("?", ""))
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    return Target(parts.scheme, normal_host(parts.hostname or ""), port, f"{path}{query}")


def normal_host(host: str) -> str:
    """The host in lower case and in ASCII, an address in its shortest form. Raises ValueError."""
    text = host.strip().rstrip(".").lower()
    if "%" in text:
        raise ValueError("no host name")
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        pass
    if not text.isascii():
        text = text.encode("idna").decode("ascii")
    if not _LABELS.fullmatch(text) or len(text) > 253:
        raise ValueError("no host name")
    return text


@dataclass(frozen=True)
class AllowedHost:
    """A host, or with `inside` all names inside it. Without a port that of the scheme is meant."""

    name: str
    port: int | None = None
    inside: bool = False

    def is_for(self, target: Target) -> bool:
        if (self.port or PORTS[target.scheme]) != target.port:
            return False
        return target.host.endswith(f".{self.name}") if self.inside else target.host == self.name

    def may_be_at(self, address: Address) -> bool:
        """Whether a connection to `address` is one the operator meant by this entry.

        A pattern reaches public addresses only. A name may also be one of our own network, but
        never a link-local one, where clouds keep their credentials; an address is taken at its
        word.
        """
        if self.name == str(address):
            return True
        plain = _unwrapped(address)
        if plain.is_multicast or plain.is_link_local or plain.is_unspecified:
            return False
        return is_public(address) or (not self.inside and (plain.is_private or plain.is_loopback))


class AllowedHosts:
    """The operator's list, ``api.example.org *.gov.cn 10.0.0.7:8080``."""

    def __init__(self, text: str = "") -> None:
        """Raises ValueError, naming the entry that cannot be read."""
        self.entries = tuple(_entry(each) for each in text.replace(",", " ").split())

    def entry(self, target: Target) -> AllowedHost | None:
        """The entry that allows `target`; one that names it goes before a pattern."""
        found = [each for each in self.entries if each.is_for(target)]
        return min(found, key=lambda each: each.inside, default=None)


def _entry(text: str) -> AllowedHost:
    inside = text.startswith("*.")
    try:
        parts = urlsplit(f"//{text[2:] if inside else text}")
        if parts.path or parts.query or parts.username is not None or not parts.hostname:
            raise ValueError
        return AllowedHost(normal_host(parts.hostname), parts.port, inside)
    except ValueError:
        raise ValueError(f"{text}: use host, *.host or host:port") from None


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet, whatever it is wrapped in."""
    plain = _unwrapped(address)
    if isinstance(plain, IPv6Address) and plain not in _GLOBAL:
        return False
    return plain.is_global and not (plain.is_multicast or plain.is_reserved)


def _unwrapped(address: Address) -> Address:
    """The address that is meant by one that is translated on the way."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _TRANSLATED:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address
