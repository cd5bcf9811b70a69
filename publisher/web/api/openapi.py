"""The OpenAPI document (3.1), made of the operations, the types they decode with, and examples."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from publisher import __version__
from publisher.intake.schema import IssueDocument
from publisher.web.api import examples
from publisher.web.api.access import ACCESS
from publisher.web.api.operation import JSON, Operation
from publisher.web.api.problems import KINDS, MEDIA_TYPE, Kind, ProblemDetails
from publisher.web.console.access import API

_REFS = "#/components/schemas/{name}"
_SCHEME = "bearer"
_DESCRIPTION = """Issues, their mailings, readers and schedules, for programs.

Requests carry a token: `Authorization: Bearer TOKEN`. Lists come in pages: `next` is the `after` of
the page behind, also in `Link: rel="next"`; what was there all the time is neither skipped nor
repeated. POST takes an `Idempotency-Key`: within 24 hours the same request with the same key gets
the same answer, and is not done twice. Whatever is wrong is said as `application/problem+json`
(RFC 9457). Times are RFC 3339 with an offset. Unknown fields and parameters are refused.
"""
_PATH_PARAMETERS = {
    "issue": ("An issue's NAME.", "2025-12-15"),
    "mailing": ("A mailing's name.", "k3v9x0q2m7t4b8zc"),
    "subscriber": ("A subscriber's name.", "mfrggzdfmztwq2lk"),
    "suppression": ("A suppression's number.", "12"),
    "kind": ("The last part of a problem's `type`.", "changed"),
}
_TAGS = {
    "issues": "Issue files, and what is wrong with them.",
    "check": "What is wrong with the publication.",
    "mailings": "What is sent, and what came of it.",
    "subscribers": "Readers.",
    "suppressions": "Addresses that nothing is sent to.",
    "schedules": "What is sent by itself.",
    "api": "The entry, this document, and the types of problems.",
}
_HEADERS = {
    "ETag": "The version, to be named in If-Match.",
    "Link": 'The next page, as rel="next".',
    "Location": "Where the thing is.",
    "Idempotency-Replayed": "`true` where this is the answer of an earlier request.",
    "Retry-After": "When to ask again, in seconds.",
    "WWW-Authenticate": "What token is needed (RFC 6750).",
}


def make_document(operations: Sequence[Operation], root: str = "") -> dict[str, Any]:
    """The document of operations, whose types' schemas stand in its components.

    `root` is where the publication is among several of one console.
    """
    types = [
        each
        for operation in operations
        for each in (operation.query, operation.body, operation.returns)
        if each is not None
    ]
    types += [ProblemDetails, IssueDocument]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFS)
    known = {id(type_): schema for type_, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _describe(operation, known, components)
        paths.setdefault(f"{API}{operation.path}", {})[operation.method.lower()] = described
    shown = {name for name, schema in components.items() if not name.endswith(("Pages", "Making"))}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "publisher",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": root or "/", "description": "The console's origin."}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(shown - {"Nothing"})},
            "securitySchemes": {_SCHEME: _scheme()},
        },
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return plain


def _scheme() -> dict[str, Any]:
    return {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of `publisher tokens create`, or of the console. What it may do is"
        " in its scopes, which each operation names.",
    }


def _describe(
    operation: Operation, known: dict[int, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    text = inspect.cleandoc(operation.handle.__doc__ or "")
    summary, _, more = text.partition("\n")
    scope = ACCESS[(operation.method, operation.path)]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.path.split("/")[1] if _is_noun(operation) else "api"],
        "summary": summary.rstrip("."),
        "description": " ".join(more.split()) or summary,
        "security": [] if scope == "anybody" else [{_SCHEME: [scope]}],
        "parameters": [
            *_path_parameters(operation),
            *_query_parameters(operation, components),
            *_header_parameters(operation),
        ],
        "responses": _responses(operation, known),
    }
    if body := _request_body(operation, known):
        described["requestBody"] = body
    return described


def _is_noun(operation: Operation) -> bool:
    return operation.path.split("/")[1] in _TAGS


def _path_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for name, (text, example) in _PATH_PARAMETERS.items():
        if f"{{{name}}}" in operation.path:
            schema = {"type": "string", "minLength": 1}
            yield _parameter(name, "path", text, schema, example, is_required=True)


def _query_parameters(operation: Operation, components: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for name, schema in components[operation.query.__name__]["properties"].items():
        schema = dict(schema)
        text = schema.pop("description", "")
        if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
            (schema,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
        if "enum" in schema:
            schema = {"enum": [each for each in schema["enum"] if each is not None]}
        if schema.get("default", 0) is None:
            del schema["default"]
        yield _parameter(name, "query", text, schema, None)


def _header_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.is_matching:
        text = "The ETag of the issue as it was looked at, or `*` for whatever it is."
        schema = {"type": "string"}
        example = '"0d4c1a7be2f35968a1b2c3d4e5f60718"'
        yield _parameter("If-Match", "header", text, schema, example, is_required=True)
    if operation.is_keyed:
        text = "A word of your own for this change (draft-ietf-httpapi-idempotency-key-header)."
        schema = {"type": "string", "pattern": r'^"[!#-\[\]-~]{1,255}"$'}
        example = '"8e03978e-40d5-43e8-bc93-6894a57f9324"'
        yield _parameter("Idempotency-Key", "header", text, schema, example)


def _parameter(
    name: str, where: str, text: str, schema: Any, example: Any, *, is_required: bool = False
) -> dict[str, Any]:
    found = {"name": name, "in": where, "description": text, "required": is_required}
    return found | {"schema": schema} | ({} if example is None else {"example": example})


def _request_body(operation: Operation, known: dict[int, Any]) -> dict[str, Any] | None:
    if operation.raw:
        content = {
            media_type: {
                "schema": known[id(IssueDocument)] if media_type == JSON else {"type": "string"},
                "examples": {"issue": {"summary": text, "value": examples.FORMS[media_type]}},
            }
            for media_type, text in operation.raw.items()
        }
    elif operation.body is not None:
        content = {JSON: _content(known[id(operation.body)], operation.example.request)}
    else:
        return None
    return {"required": True, "content": content}


def _content(schema: Any, example: Any) -> dict[str, Any]:
    examples_ = {} if example is None else {"examples": {"one": {"value": example}}}
    return {"schema": schema, **examples_}


def _responses(operation: Operation, known: dict[int, Any]) -> dict[str, Any]:
    kinds: dict[int, list[Kind]] = {}
    for name in _problems_of(operation):
        kinds.setdefault(KINDS[name].status, []).append(KINDS[name])
    answers = {operation.status: "It is done." if operation.method != "GET" else "It is here."}
    responses = {
        str(status): _answer(operation, known, text)
        for status, text in (answers | dict(operation.others)).items()
    }
    return responses | {str(status): _refusal(kinds[status]) for status in sorted(kinds)}


def _problems_of(operation: Operation) -> list[str]:
    """The kinds that an operation may give, each once."""
    names = ["malformed", "not-acceptable", "defect", "unavailable", *operation.problems]
    if ACCESS[(operation.method, operation.path)] != "anybody":
        names += ["unauthenticated", "forbidden", "throttled"]
    if operation.is_keyed:
        names += ["in-progress", "key-used", "invalid"]
    if operation.body is not None:
        names += ["too-large", "unsupported-media-type", "invalid"]
    return sorted(set(names))


def _answer(operation: Operation, known: dict[int, Any], text: str) -> dict[str, Any]:
    names = [
        *(["ETag"] if operation.path.startswith("/issues/") and operation.status == 200 else ()),
        *(["ETag"] if operation.status == 201 and operation.raw else ()),
        *(["Link"] if "after" in operation.query.__struct_fields__ else ()),
        *(["Location"] if operation.status == 201 else ()),
        *(["Idempotency-Replayed"] if operation.is_keyed else ()),
    ]
    answer: dict[str, Any] = {"description": text, "headers": _headers(names)}
    if operation.returns is not None:
        answer["content"] = {
            JSON: _content(known[id(operation.returns)], operation.example.response)
        }
    return answer


def _refusal(kinds: Sequence[Kind]) -> dict[str, Any]:
    names = {401: ["WWW-Authenticate"], 403: ["WWW-Authenticate"], 429: ["Retry-After"]}
    names |= {503: ["Retry-After"]}
    return {
        "description": "; ".join(f"{kind.title} (`{kind.name}`)" for kind in kinds),
        "headers": _headers(names.get(kinds[0].status, [])),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": _REFS.format(name="ProblemDetails")},
                "examples": {kind.name: {"value": _example_of(kind)} for kind in kinds},
            }
        },
    }


def _example_of(kind: Kind) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": f"{API}/problems/{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "detail": examples.DETAILS[kind.name],
    }
    return example | ({"problems": [examples.PROBLEM]} if kind.name == "content" else {})


def _headers(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}
