"""Requests to others' servers that never end up in a network of our own.

A name is looked up once, every address that it has is judged, and the connection goes to one of
those very addresses: what the name means a moment later does not matter. No proxy of the
environment is used, no redirect is followed, and of an answer no more is read than was asked for.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from urllib.parse import urlsplit

import msgspec

Address = IPv4Address | IPv6Address
# Gives the addresses of a host, as texts.
Resolve = Callable[[str, int], Sequence[str]]

# For one step of the connection, and for all of it.
_STEP_SECONDS = 5.0
_SECONDS = 10.0

# What Python calls global, or called so in one of its versions, and does not lead to one server
# in the open network: multicast, relays and translators to IPv4 (whose last bits may be a private
# address), what is reserved, and addresses at which clouds tell their secrets.
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
            *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
            "168.63.129.16/32",  # Azure's own server, in each of its machines
            *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        ),
    )
)
# RFC 4291, section 2.4, and IANA's registry: all of IPv6 that was given to anybody to use. What
# maps or translates IPv4 (::ffff:0:0/96, 64:ff9b::/96), loopback, private (fc00::/7), link-local
# and multicast addresses are outside.
_OPEN_IPV6 = ip_network("2000::/3")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered; without a status there was none, and `fault` says why.

    `headers` are by their names in small letters; of several with one name it is the first.
    """

    status: int = 0
    body: bytes = b""
    retry_after: str = ""
    headers: Mapping[str, str] = {}
    fault: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class ForbiddenError(Exception):
    """A host is in a network that is not asked."""


def is_public(text: str) -> bool:
    """Tell whether an address leads to a server in the open network, and nowhere else."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _OPEN_IPV6):
        return False
    is_special = any(
        address in network for network in _NOT_PUBLIC if network.version == address.version
    )
    return address.is_global and not is_special


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises OSError where there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def choose(
    host: str, port: int, *, allow_private: bool, resolve: Resolve = resolve
) -> Sequence[str]:
    """The addresses to connect to. Raises ForbiddenError where one of a host's is not public."""
    addresses = resolve(host, port)
    if not allow_private and not all(map(is_public, addresses)):
        raise ForbiddenError("its host is in a private network")
    return addresses


def ask(
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    most: int = 0,
    allow_private: bool = False,
    resolve: Resolve = resolve,
    context: ssl.SSLContext | None = None,
    seconds: float = _SECONDS,
) -> Answer:
    """Send a request, and give what was answered; it takes at most so many seconds.

    Of the body `most` bytes are read; one that is longer, or that breaks off, is as good as none.
    `context` has the certificates that are trusted; by default the system's.
    """
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
    try:
        addresses = choose(host, port, allow_private=allow_private, resolve=resolve)
    except (OSError, UnicodeError) as error:
        return Answer(fault=f"its host is not found ({type(error).__name__})")
    except ForbiddenError as error:
        return Answer(fault=str(error))
    tls = (context or ssl.create_default_context()) if is_tls else None
    connection = _Pinned(host, port, addresses, tls)
    # A server that gives a byte now and then would be waited for at every one of them.
    end = Timer(seconds, connection.cut)
    end.daemon = True
    end.start()
    try:
        target = f"{parts.path or '/'}{f'?{parts.query}' * bool(parts.query)}"
        connection.request(method, target, body or None, dict(headers or {}))
        answer = connection.getresponse()
        found = answer.read(most + 1) if most else b""
        if len(found) > most:
            return Answer(fault=f"its answer is longer than {most:,} bytes")
        if connection.is_cut or (most and answer.length):
            raise http.client.IncompleteRead(found, answer.length)
        named = {name.lower(): value for name, value in reversed(answer.headers.items())}
        after = named.get("retry-after", "")
        return Answer(status=answer.status, body=found, retry_after=after, headers=named)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = "it took too long" if connection.is_cut else type(error).__name__
        return Answer(fault=f"no answer ({why})")
    finally:
        end.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to one of these addresses, whatever the host's name means by now."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port, timeout=_STEP_SECONDS)
        self.default_port = 443 if tls else 80  # so that Host has a port only where it must
        self._addresses = addresses
        self._tls = tls
        # Its own hold on the socket: http.client lets go of one that ends with its answer.
        self._open: socket.socket | None = None
        self.is_cut = False

    def connect(self) -> None:
        fault: OSError | None = None
        for address in self._addresses:
            try:
                raw = socket.create_connection((address, self.port), timeout=_STEP_SECONDS)
            except OSError as error:
                fault = error
                continue
            self.sock = self._open = raw
            if self.is_cut:  # while it connected, when there was nothing to shut down
                break
            if self._tls:  # shaking hands where it can be cut
                self.sock = self._open = self._tls.wrap_socket(
                    raw, server_hostname=self.host, do_handshake_on_connect=False
                )
                self.sock.do_handshake()
            return
        raise fault or OSError("it has no address")

    def cut(self) -> None:
        """End it from another thread, whatever it waits for."""
        self.is_cut = True
        if self._open is not None:
            with suppress(OSError):  # without TLS's own goodbye, for which it would wait
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)
