"""Where a page ends: an opaque word that says behind which row the next one begins.

It names the row, not a number of rows, so that nothing is skipped or repeated while others come and
go. It is signed with the list that it belongs to, filters included.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from publisher.web.api.problems import ApiError

MOST = 200
_MAC_BYTES = 12

Limit = Annotated[int, Meta(ge=1, le=MOST, description="How many at most.", examples=[50])]
After = Annotated[
    str,
    Meta(
        max_length=400,
        description="Where the page before ended: the `next` of its answer, as it is.",
    ),
]


class Pages(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of every list."""

    limit: Limit = 50
    after: After = ""


class Place(msgspec.Struct, frozen=True):
    """A list with its filters, as it is signed: `path` and the parameters other than the page's."""

    secret: bytes
    path: str
    query: Pages

    def read(self) -> str:
        """The row behind which the page begins; empty at the first. Raises ApiError."""
        if not self.query.after:
            return ""
        try:
            data = urlsafe_b64decode(self.query.after.encode("ascii"))
        except ValueError:
            data = b""
        mac, row = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._sign(row)):
            raise ApiError(
                "malformed",
                "`after` is no cursor of this list; take the `next` of an answer as it is, with the"
                " same filters, or leave it out to begin anew.",
            )
        return row.decode()

    def write(self, row: str) -> str:
        data = row.encode()
        return urlsafe_b64encode(self._sign(data) + data).decode()

    def link(self, cursor: str) -> str:
        """The URL of the next page, relative to the origin."""
        filters = [*self._filters(), ("limit", str(self.query.limit)), ("after", cursor)]
        return f"{self.path}?{urlencode(filters)}"

    def _filters(self) -> Sequence[tuple[str, str]]:
        return [
            (name, str(value))
            for name, value in sorted(msgspec.to_builtins(self.query).items())
            if name not in ("limit", "after") and value not in (None, "")
        ]

    def _sign(self, row: bytes) -> bytes:
        about = urlencode([("", self.path), *self._filters()]).encode()
        return hmac.digest(self.secret, b"cursor\0" + about + b"\0" + row, sha256)[:_MAC_BYTES]
