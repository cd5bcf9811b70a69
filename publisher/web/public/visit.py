"""A request before anything of it is believed: its path as it was sent, who sent it, from where."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import msgspec
from litestar.types import HTTPScope

from publisher.site.write import OWN_FOLDERS

_Ip = IPv4Address | IPv6Address

# RFC 6454, section 7: a scheme, a host and perhaps a port; "null" is an origin that is nobody's.
_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# RFC 9112, section 3.2.2: every server takes a whole URL for a path.
_ABSOLUTE = re.compile(r"https?://[^/]*", re.IGNORECASE)
# An address with a port, as some proxies forward it.
_WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d+)?|(\d+(?:\.\d+){3}):\d+")
# A path below the site that is not the site's own place.
_OWN_NAMES = frozenset(
    (*OWN_FOLDERS, "confirm", "healthz", "preferences", "subscribe", "unsubscribe")
)


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request.

    `path` is as it was sent, percent signs and all, below the place where the site is. `client` is
    an IP address, or empty. `is_own` tells that the Origin, if one was sent, is one of ours.
    `is_forwarded` tells that it came through a proxy that is not trusted, so that `client` is it.
    """

    path: str
    client: str
    is_own: bool
    is_forwarded: bool


class Doorway:
    """Reads visits, by the URLs that are our own, and the proxies that are trusted."""

    def __init__(self, own_urls: Iterable[str], trusted_proxies: Iterable[str]) -> None:
        urls = [urlsplit(url) for url in own_urls]
        self._origins = {_origin(f"{url.scheme}://{url.netloc}") for url in urls}
        # A proxy may leave the part of the URL before the site's own paths on them, or take it off.
        paths = {url.path for url in urls if url.path}
        self._prefixes = sorted(
            path for path in paths if path.split("/")[1].lower() not in _OWN_NAMES
        )
        self._proxies = [ip_network(text, strict=False) for text in trusted_proxies]

    def read(self, scope: HTTPScope) -> Visit:
        headers = scope["headers"]
        peer = _parse_hop(scope["client"][0]) if scope["client"] else None
        forwarded = _split_hops(_values(headers, b"x-forwarded-for"))
        return Visit(
            path=self._below(scope["raw_path"].decode("latin-1")),
            client=str(self._find_client(peer, forwarded) or ""),
            is_own=self._is_own(_values(headers, b"origin"), _values(headers, b"host")),
            is_forwarded=bool(forwarded) and not self._is_trusted(peer),
        )

    def _below(self, path: str) -> str:
        path = _ABSOLUTE.sub("", path, count=1) or "/"
        for prefix in self._prefixes:
            if path.startswith(f"{prefix}/"):
                return path.removeprefix(prefix)
            if path == prefix:
                return "/"
        return path

    def _is_own(self, origins: Sequence[str], hosts: Sequence[str]) -> bool:
        """Tell whether an Origin, if there is one, is that of the Host or one of our URLs."""
        if not origins:
            return True
        origin = _origin(origins[0])
        if len(origins) > 1 or not origin:
            return False
        scheme = origin.partition("://")[0]
        return origin in self._origins or [origin] == [_origin(f"{scheme}://{h}") for h in hosts]

    def _find_client(self, peer: _Ip | None, hops: Sequence[str]) -> _Ip | None:
        """Go from the nearest hop outwards, as far as each is trusted to know the next."""
        client = peer
        for hop in reversed(hops):
            if not self._is_trusted(client) or (further := _parse_hop(hop)) is None:
                break
            client = further
        return client

    def _is_trusted(self, address: _Ip | None) -> bool:
        return address is not None and any(address in network for network in self._proxies)


def limit_group(client: str) -> str:
    """What a client is counted by: an IPv6 customer has a /64 or more of them (RFC 6177)."""
    address = _parse_hop(client)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return client


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]


def _split_hops(lines: Sequence[str]) -> list[str]:
    return [hop for line in lines for hop in line.split(",") if hop.strip()]


def _parse_hop(text: str) -> _Ip | None:
    text = text.strip().strip('"')
    if match := _WITH_PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _origin(text: str) -> str:
    """An origin in its one spelling; empty where it is none."""
    match = _ORIGIN.fullmatch(text.lower())
    if match is None:
        return ""
    scheme, authority = match.groups()
    return f"{scheme}://{authority.removesuffix(_DEFAULT_PORTS[scheme])}"
