"""A console whose API is asked with tokens."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from publisher.model.access import SCOPES, Role, Scope
from publisher.model.operators import Actor
from publisher.runtime.inviting import make_token
from tests.web.console.site import Console
from tests.web.public.site import Answer

ROOT = "/api/v1"
ALL: tuple[Scope, ...] = tuple(SCOPES)
NAME = "2025-12-15"
SOURCE = f"""---
title: Morning
date: {NAME}T07:00:00+01:00
status: ready
---

## Parcels on rails

Trams carry parcels at night.
"""
DIGEST = "Morning:\n\n1. Parcels on rails\n\nParcels on rails\nTrams carry parcels at night.\n"
MARKDOWN = {"Content-Type": "text/markdown"}


class Program:
    """A program with a token, which asks the API."""

    def __init__(self, console: Console, secret: str) -> None:
        self.console = console
        self.secret = secret

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """Ask; a body that is no text or bytes is sent as JSON."""
        own: dict[str, str | None] = {"Authorization": f"Bearer {self.secret}"}
        own["Content-Type"] = None
        data = body.encode() if isinstance(body, str) else body
        if body is not None and not isinstance(body, str | bytes):
            data, own["Content-Type"] = json.dumps(body).encode(), "application/json"
        return self.console.ask(method, f"{ROOT}{path}", data, own | dict(headers or {}))

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def post(self, path: str, body: Any = None, *, key: str = "", status: int = 200) -> Any:
        answer = self.ask("POST", path, body, {"Idempotency-Key": f'"{key}"'} if key else {})
        assert answer.status == status, answer
        return json.loads(answer.body)

    def add_issue(self, source: str = SOURCE, name: str = NAME) -> str:
        """Make an issue and give its ETag."""
        answer = self.ask("POST", f"/issues?name={name}", source, MARKDOWN)
        assert answer.status == 201, answer
        return answer.headers["etag"]


def enter(
    console: Console,
    scopes: Sequence[Scope] = ALL,
    *,
    role: Role | None = None,
    name: str = "program",
    lives: timedelta | None = None,
) -> Program:
    """A program with a token of its own: the command line's, or that of an operator with a role."""
    operator = None if role is None else console.add(f"{role}@{name}.example", role)
    now = datetime.now(UTC)
    with console.database.write() as connection:
        secret = make_token(
            connection,
            console.database.publication,
            name=name,
            scopes=scopes,
            operator=operator,
            actor=Actor("tests"),
            now=now,
            expires_at=now + lives if lives else None,
        )
    return Program(console, secret)


def problem(answer: Answer) -> str:
    """The last part of a problem's type; the answer must be a whole one."""
    assert answer.headers["content-type"] == "application/problem+json", answer
    body = json.loads(answer.body)
    assert body["status"] == answer.status
    assert body["title"]
    assert body["detail"].endswith(".")
    kind: str = body["type"].removeprefix(f"{ROOT}/problems/")
    return kind
