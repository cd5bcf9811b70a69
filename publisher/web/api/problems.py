"""What is said to programs where something is wrong: `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from litestar import Response
from msgspec import Meta

from publisher.model.problem import Problem

MEDIA_TYPE = "application/problem+json"


class Kind(msgspec.Struct, frozen=True):
    """A type of problem: its name in `type`, its status and its title, which never change."""

    name: str
    status: int
    title: str


_KINDS = (
    Kind("malformed", 400, "The request cannot be understood"),
    Kind("unauthenticated", 401, "A token is needed"),
    Kind("forbidden", 403, "The token may not do this"),
    Kind("not-found", 404, "There is no such thing"),
    Kind("method-not-allowed", 405, "This cannot be done here"),
    Kind("not-acceptable", 406, "The answer cannot be given in this form"),
    Kind("timeout", 408, "The request did not come to its end"),
    Kind("conflict", 409, "This is not possible as things stand"),
    Kind("exists", 409, "There is one already"),
    Kind("digest-changed", 409, "The issue is not what was approved"),
    Kind("in-progress", 409, "The same request is being answered"),
    Kind("changed", 412, "Somebody else has changed it"),
    Kind("too-large", 413, "The request is too large"),
    Kind("unsupported-media-type", 415, "The request's form is not taken here"),
    Kind("invalid", 422, "The request says something impossible"),
    Kind("content", 422, "The content has errors"),
    Kind("key-used", 422, "The Idempotency-Key belongs to another request"),
    Kind("precondition-required", 428, "If-Match is needed"),
    Kind("throttled", 429, "Too many tries without a good token"),
    Kind("defect", 500, "Something went wrong here"),
    Kind("unavailable", 503, "Not now"),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457's object. `problems` are those of content, as `check` has them."""

    type: Annotated[str, Meta(description="A name that never changes: `/api/v1/problems/NAME`.")]
    title: Annotated[str, Meta(description="The type in words.")]
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="What was found, and what would be right.")]
    problems: Sequence[Problem] = ()


class ApiError(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = KINDS[kind]
        self.detail = detail
        self.problems = problems
        self.headers = dict(headers or {})


def describe(error: ApiError, root: str) -> ProblemDetails:
    """The object of an error; `root` is the API's path."""
    kind = error.kind
    return ProblemDetails(
        type=f"{root}/problems/{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=error.detail,
        problems=tuple(error.problems),
    )


def answer(error: ApiError, root: str) -> Response[bytes]:
    return Response(
        msgspec.json.encode(describe(error, root)),
        status_code=error.kind.status,
        media_type=MEDIA_TYPE,
        headers=error.headers,
    )


def sentence(error: Exception) -> str:
    """An error's words as a sentence; a path or a key at its beginning stays as it is."""
    text = str(error).rstrip(".")
    if text.split(" ")[0].isalpha():
        text = f"{text[:1].upper()}{text[1:]}"
    return f"{text}."
