"""What the API is: its entry, its OpenAPI document, a page to read it by, and types of problems."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from markupsafe import Markup, escape

from publisher.model.access import SCOPES
from publisher.web.api.operation import Call, Example, Operation, Reply, api_path, missing
from publisher.web.api.problems import KINDS
from publisher.web.api.shapes import Entry, KindAnswer

HTML = "text/html"
_NOUNS = ("issues", "check", "mailings", "subscribers", "suppressions", "schedules")


def show_entry(call: Call) -> Reply:
    """Say where to go from here; to a browser, with a page that documents it all.

    No token is needed, and nothing of the publication is said.
    """
    if HTML in call.accept:
        headers = {"Content-Type": HTML, "Vary": "Accept"}
        return Reply(body=_render(call).encode(), headers=headers)
    return Reply(body=_describe(call.at), headers={"Vary": "Accept"})


def _describe(at: Callable[[str], str]) -> dict[str, Any]:
    return {
        "version": "v1",
        "openapi": at("/openapi.json"),
        "documentation": at("/"),
        "links": {name: at(f"/{name}") for name in _NOUNS},
    }


def get_openapi(call: Call) -> Reply:
    """Get this API's OpenAPI document."""
    return Reply(body=call.document)


def get_kind(call: Call) -> Reply:
    """Say what a type of problem is, by the last part of its `type`."""
    if (kind := describe_kind(call.path["kind"])) is None:
        raise missing("There is no such type of problem; the OpenAPI document lists them.")
    return Reply(body=kind)


def describe_kind(name: str) -> dict[str, Any] | None:
    """A type of problem, whose address is the same wherever the publication is."""
    if (kind := KINDS.get(name)) is None:
        return None
    named = api_path(f"/problems/{kind.name}")
    return {"type": named, "status": kind.status, "title": kind.title}


def _render(call: Call) -> str:
    """The page: each operation with what it takes and gives, out of the document itself."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in call.document["paths"].items():
        for method, it in methods.items():
            groups.setdefault(it["tags"][0], []).append(it | {"method": method, "path": path})
    page = call.desk.templates.get_template("console/api.html")
    return page.render(
        document=call.document,
        groups=groups,
        scopes=SCOPES,
        stylesheet=call.desk.asset("console.css"),
        root=call.desk.root,
        marked=_mark_code,
        to_json=lambda value: msgspec.json.format(msgspec.json.encode(value)).decode(),
    )


def _mark_code(text: str) -> Markup:
    """A text in which what stands between backquotes is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


operations = [
    Operation(
        method="GET",
        path="/",
        handle=show_entry,
        returns=Entry,
        example=Example(response=_describe(api_path)),
        also=(HTML,),
    ),
    Operation(
        method="GET",
        path="/openapi.json",
        handle=get_openapi,
        returns=dict[str, Any],
        also=(HTML, "application/vnd.oai.openapi+json"),
    ),
    Operation(
        method="GET",
        path="/problems/{kind}",
        handle=get_kind,
        returns=KindAnswer,
        problems=("not-found",),
        example=Example(
            response={
                "type": api_path("/problems/changed"),
                "status": 412,
                "title": KINDS["changed"].title,
            }
        ),
        also=(HTML,),
    ),
]
