"""The API over HTTP: an application of its own, which the console's front asks below /api/v1.

To add a route: an `Operation` in the module of its noun, whose list is in OPERATIONS, and a line in
`access.ACCESS`. All of them go the same way, `_Api.answer`: who asks and may they, in what form,
what did they say (by the operation's types, from which `openapi.py` is made too), was it answered
before, the handler.
"""

import re
from collections.abc import Sequence
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import HttpMethod, Litestar, Response
from litestar.datastructures import State
from litestar.exceptions import ClientException, HTTPException
from litestar.handlers import HTTPRouteHandler
from sqlalchemy.exc import IntegrityError

from publisher.errors import PublisherError
from publisher.intake.text import MAX_BYTES
from publisher.model.operators import Actor
from publisher.runtime.log import describe_defect
from publisher.store.tokens import Bearer
from publisher.web.api import entry, issues, mailings, schedules, subscribers, suppressions
from publisher.web.api.access import ACCESS
from publisher.web.api.bearer import actor_of, authenticate, require_scope
from publisher.web.api.idempotency import (
    Answering,
    Keyed,
    find_kept,
    hash_request,
    in_progress,
    read_key,
)
from publisher.web.api.openapi import make_document
from publisher.web.api.operation import JSON, Call, Operation, Reply, api_path, path_pattern
from publisher.web.api.problems import ApiError, answer, sentence
from publisher.web.console.access import API
from publisher.web.console.desk import Desk
from publisher.web.console.shell import AnyRequest, client_of
from publisher.web.console.throttle import Throttle

OPERATIONS: Sequence[Operation] = (
    *(*entry.operations, *issues.operations, *mailings.operations),
    *(*subscribers.operations, *suppressions.operations, *schedules.operations),
)

_MOST_JSON_BYTES = 100_000
# What reads or builds the whole site takes seconds, and a processor.
_MOST_SLOW = 2
# What exceptions of HTTP are here; others are a 400.
_KINDS = {404: "not-found", 405: "method-not-allowed", 408: "timeout", 413: "too-large"}
_DETAILS = {
    404: f"There is no such address; {API}/ says which there are.",
    408: "What was sent did not come to its end in time.",
    413: f"An issue has at most {MAX_BYTES:,} bytes, anything else {_MOST_JSON_BYTES:,}.",
}


class _Api:
    """Answers requests."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.throttle = Throttle()
        self.answering = Answering()
        self.slow = BoundedSemaphore(_MOST_SLOW)
        self.document = make_document(OPERATIONS, desk.root)

    def route(self, operation: Operation) -> HTTPRouteHandler:
        async def handle(request: AnyRequest) -> Response[bytes]:
            bearer = await self.desk.work(self.admit, operation, request)
            _require_forms(operation, request)
            body = await request.body()
            return await self.desk.work(self.answer, operation, request, bearer, body)

        handle.__name__ = operation.name
        most = MAX_BYTES if operation.raw else _MOST_JSON_BYTES
        return HTTPRouteHandler(
            _typed(api_path(operation.path)),
            http_method=HttpMethod(operation.method),
            status_code=200,
            request_max_body_size=most,
        )(handle)

    def route_options(self, path: str) -> HTTPRouteHandler:
        """Litestar's own knows of one method of each path alone."""
        methods = ", ".join(_methods_of(path))

        async def show_options() -> Response[bytes]:
            return Response(b"", status_code=204, headers={"Allow": methods})

        found = HTTPRouteHandler(_typed(path), http_method=HttpMethod.OPTIONS, status_code=200)
        return found(show_options)

    def admit(self, operation: Operation, request: AnyRequest) -> Bearer | None:
        scope = ACCESS[(operation.method, operation.path)]
        if scope == "anybody":
            return None
        header = request.headers.get("authorization")
        bearer = authenticate(self.desk, self.throttle, header, client_of(request))
        require_scope(bearer, scope)
        return bearer

    def answer(
        self, operation: Operation, request: AnyRequest, bearer: Bearer | None, body: bytes
    ) -> Response[bytes]:
        call = self._read(operation, request, bearer, body)
        if operation.is_slow and not self.slow.acquire(blocking=False):
            raise ApiError(
                "unavailable",
                "The site is being built or checked for others; try again in some seconds.",
                headers={"Retry-After": "5"},
            )
        try:
            return self._answer(operation, call).as_response()
        finally:
            if operation.is_slow:
                self.slow.release()

    def _answer(self, operation: Operation, call: Call) -> Reply:
        if call.keyed is None:
            return operation.handle(call)
        with self.answering.hold(call.keyed):
            if kept := find_kept(self.desk.database, call.keyed):
                headers = msgspec.json.decode(kept.headers, type=dict[str, str])
                headers["Idempotency-Replayed"] = "true"
                body = kept.body.encode() if kept.body else None
                return Reply(body=body, status=kept.status, headers=headers)
            try:
                return operation.handle(call)
            except IntegrityError:
                raise in_progress() from None  # another process was first, and nothing was done

    def _read(
        self, operation: Operation, request: AnyRequest, bearer: Bearer | None, body: bytes
    ) -> Call:
        client, now = client_of(request), self.desk.clock()
        return Call(
            desk=self.desk,
            bearer=bearer,
            actor=actor_of(bearer, client) if bearer else Actor("nobody", client),
            now=now,
            url=self.desk.root + request.scope["path"],
            path=request.path_params,
            query=_read_query(operation, request),
            body=body if operation.raw else _read_body(operation, body),
            media_type=_media_type(request),
            if_match=request.headers.get("if-match", ""),
            accept=request.headers.get("accept", ""),
            document=self.document,
            keyed=self._read_key(operation, request, bearer, body),
        )

    def _read_key(
        self, operation: Operation, request: AnyRequest, bearer: Bearer | None, body: bytes
    ) -> Keyed | None:
        key = read_key(request.headers.get("idempotency-key")) if operation.is_keyed else ""
        if not key or bearer is None:
            return None
        asked = f"{operation.method} {request.scope['path']}?{request.url.query}"
        forms = f"{_media_type(request)} {request.headers.get('if-match', '')}"
        return Keyed(
            publication=self.desk.database.publication,
            token=bearer.token.id,
            key=key,
            hash=hash_request(asked.encode(), forms.encode(), body),
            now=self.desk.clock(),
        )

    def show_error(self, request: AnyRequest, error: Exception) -> Response[bytes]:
        return answer(self._explain(request, error), API)

    def _explain(self, request: AnyRequest, error: Exception) -> ApiError:
        if isinstance(error, ApiError):
            return error
        if isinstance(error, PublisherError):
            self.desk.tell(str(error))
            return ApiError("unavailable", sentence(error), headers={"Retry-After": "10"})
        if isinstance(error, HTTPException) and error.status_code < 500:
            return _explain_http(request, error)
        self.desk.tell(describe_defect(error))
        return ApiError(
            "defect",
            "This is a defect of publisher; what was asked for may not have been done.",
        )


def _typed(path: str) -> str:
    """A path as Litestar writes it."""
    return re.sub(r"\{(\w+)\}", r"{\1:str}", path)


def _explain_http(request: AnyRequest, error: HTTPException) -> ApiError:
    status = error.status_code
    headers = dict(error.headers or {})
    if status == 405:
        methods = ", ".join(_methods_of(request.scope["path"]))
        detail = f"{request.method} is not taken here; what is: {methods}."
        return ApiError("method-not-allowed", detail, headers={"Allow": methods})
    detail = _DETAILS.get(status, "The request cannot be understood; it may have ended too soon.")
    return ApiError(_KINDS.get(status, "malformed"), detail, headers=headers)


def _methods_of(path: str) -> list[str]:
    found = {each.method for each in OPERATIONS if path_pattern(each).fullmatch(path)}
    return sorted({*found, "OPTIONS", *(("HEAD",) if "GET" in found else ())})


def _require_forms(operation: Operation, request: AnyRequest) -> None:
    """Raise ApiError where the answer is not wanted as JSON, or the body is none that is taken."""
    accepted = request.headers.get("accept", "*/*")
    wanted = [part.split(";")[0].strip().lower() for part in accepted.split(",")]
    given = (JSON, "application/*", "*/*", "", *operation.also)
    if not any(each in given for each in wanted):
        raise ApiError(
            "not-acceptable",
            f"Answers are {JSON}; let Accept have that, or leave it out.",
        )
    taken = (*operation.raw,) if operation.raw else (JSON,) if operation.body else ()
    has_body = request.headers.get("content-length", "0") != "0" or (
        "transfer-encoding" in request.headers
    )
    found = _media_type(request)
    if taken and has_body and (found not in taken or _charset(request) not in ("", "utf-8")):
        raise ApiError(
            "unsupported-media-type",
            f"Content-Type is {found or 'missing'}; send {', '.join(taken)}, in UTF-8.",
            headers={"Accept": ", ".join(taken)},
        )


def _media_type(request: AnyRequest) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _charset(request: AnyRequest) -> str:
    found = re.search(r"charset=\"?([\w-]+)", request.headers.get("content-type", ""), re.I)
    return found[1].lower() if found else ""


def _read_query(operation: Operation, request: AnyRequest) -> msgspec.Struct:
    text = request.scope["query_string"].decode("latin-1")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=20)
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise ApiError("malformed", "A parameter stands twice in the address.")
        return msgspec.convert(fields, operation.query, strict=False)
    except msgspec.ValidationError as error:
        raise ApiError("malformed", f"In the address: {_words(error)}") from None
    except ValueError:
        raise ApiError("malformed", "The address has parameters that are no UTF-8.") from None


def _read_body(operation: Operation, body: bytes) -> Any:
    if operation.body is None:
        if body.strip() not in (b"", b"{}"):
            raise ApiError("invalid", "Nothing is to be said here; leave the body empty.")
        return None
    try:
        return msgspec.json.decode(body, type=operation.body)
    except msgspec.ValidationError as error:
        raise ApiError("invalid", _words(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = f"The body is to be JSON in UTF-8: {error}." if body else "There is no body."
        raise ApiError("malformed", detail) from None


def _words(error: Exception) -> str:
    return sentence(error).replace("`$.", "`").replace(" - at `$`", "")


def make_api(desk: Desk) -> Litestar:
    """The application, which knows no session and no form, and has no CORS."""
    api = _Api(desk)
    paths = sorted({api_path(operation.path) for operation in OPERATIONS})
    return Litestar(
        [*map(api.route_options, paths), *map(api.route, OPERATIONS)],
        state=State({"desk": desk}),
        exception_handlers={Exception: api.show_error, ClientException: api.show_error},
        request_max_body_size=MAX_BYTES,
        logging_config=None,
        openapi_config=None,
    )
