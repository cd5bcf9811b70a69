"""What one route of the API is, and what its handler is given and gives back."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from litestar import Response
from sqlalchemy import Connection

from publisher.model.operators import Actor
from publisher.store.tokens import Bearer
from publisher.web.api.cursors import Pages, Place
from publisher.web.api.idempotency import Keyed
from publisher.web.api.problems import ApiError
from publisher.web.console.access import API
from publisher.web.console.desk import Desk

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
JSON = "application/json"


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters, or an object without fields."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: `body` is what JSON can say; None for an answer without one (204)."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)

    def as_response(self) -> Response[bytes]:
        if self.body is None:
            return Response(b"", status_code=self.status, headers=dict(self.headers))
        data = self.body if isinstance(self.body, bytes) else msgspec.json.encode(self.body)
        headers = dict(self.headers)
        media_type = headers.pop("Content-Type", JSON)
        return Response(data, status_code=self.status, media_type=media_type, headers=headers)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be answered: `path` has the values of the path, `query` and `body` what
    the operation says they are; `body` is bytes where it takes issues as they are written.
    `document` is that of OpenAPI.
    """

    desk: Desk
    bearer: Bearer | None
    actor: Actor
    now: datetime
    url: str
    path: Mapping[str, str]
    query: Any
    body: Any
    media_type: str
    if_match: str
    accept: str
    document: Mapping[str, Any]
    keyed: Keyed | None = None

    @property
    def publication(self) -> int:
        return self.desk.database.publication

    def at(self, path: str) -> str:
        """Where something is, below the API."""
        return self.desk.root + api_path(path)

    def note(self, connection: Connection, action: str, about: str = "", detail: str = "") -> None:
        self.desk.note(connection, self.actor, action, about, detail)

    def commit(self, change: Callable[[Connection], Reply]) -> Reply:
        """Do a change and keep its answer for the Idempotency-Key, in one transaction."""
        with self.desk.database.write() as connection:
            reply = change(connection)
            if self.keyed:
                self.keyed.keep(connection, reply.status, reply.headers, reply.body)
        return reply

    def page(self, name: str, rows: Sequence[Any], key: Callable[[Any], str]) -> Reply:
        """A page of what was asked for with a row more than `place.query.limit`."""
        place, limit = self.place, self.query.limit
        is_last = len(rows) <= limit
        after = "" if is_last else place.write(key(rows[limit - 1]))
        headers = {} if is_last else {"Link": f'<{place.link(after)}>; rel="next"'}
        return Reply(body={name: rows[:limit], "next": after or None}, headers=headers)

    @property
    def place(self) -> Place:
        query: Pages = self.query
        return Place(self.desk.secret, self.url, query)

    def after_id(self) -> int:
        """The id of the row behind which the page begins."""
        return int(self.place.read() or 0)


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A request's body and the answer to it, by their meaning."""

    request: Any = None
    response: Any = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A route. Its summary and description are its handler's docstring.

    `body` is the type of its JSON; `raw` are the media types of a body that is taken as it is.
    `problems` are the kinds that it gives besides those that any may give. What is `slow` reads or
    builds the whole site.
    """

    method: Method
    path: str
    handle: Callable[[Call], Reply]
    returns: Any = None
    status: int = 200
    others: Mapping[int, str] = msgspec.field(default_factory=dict)
    query: type[msgspec.Struct] = Nothing
    body: Any = None
    raw: Mapping[str, str] = msgspec.field(default_factory=dict)
    problems: tuple[str, ...] = ()
    example: Example = Example()
    is_slow: bool = False
    is_matching: bool = False
    also: tuple[str, ...] = ()

    @property
    def is_keyed(self) -> bool:
        """Whether it takes an Idempotency-Key: the other methods need none."""
        return self.method == "POST"

    @property
    def name(self) -> str:
        return self.handle.__name__


def missing(detail: str) -> ApiError:
    return ApiError("not-found", detail)


def path_pattern(operation: Operation) -> re.Pattern[str]:
    """What the paths of an operation look like, with and without a slash at their end."""
    path = api_path(operation.path).rstrip("/")
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path.replace(".", r"\.")) + "/?")


def api_path(path: str) -> str:
    return f"{API}{path}"
