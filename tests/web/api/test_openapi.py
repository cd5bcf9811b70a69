"""The OpenAPI document: valid, complete, and its examples are what it says."""

import re
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from publisher.web.api.access import ACCESS
from publisher.web.api.app import OPERATIONS
from publisher.web.api.examples import DETAILS
from publisher.web.api.openapi import make_document
from publisher.web.api.operation import Operation
from publisher.web.api.problems import KINDS
from tests.web.api.site import Program
from tests.web.console.site import Console

DOCUMENT = make_document(OPERATIONS)
# No operation gives them: another method or a body that does not come.
ELSEWHERE = {"method-not-allowed", "timeout"}


def described(operation: Operation) -> Any:
    return DOCUMENT["paths"][f"/api/v1{operation.path}"][operation.method.lower()]


def contents(operation: Operation) -> list[tuple[str, str, Any]]:
    """Where a body is described, its media type, and how."""
    it = described(operation)
    bodies = [("request", it.get("requestBody", {})), *it["responses"].items()]
    return [
        (where, media_type, content)
        for where, body in bodies
        for media_type, content in body.get("content", {}).items()
    ]


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_every_example_is_what_its_schema_says(operation: Operation) -> None:
    for where, media_type, content in contents(operation):
        schema = content["schema"] | {"components": DOCUMENT["components"]}
        validator = jsonschema.Draft202012Validator(schema)
        for example in content.get("examples", {}).values():
            if media_type in ("application/json", "application/problem+json") or where == "request":
                validator.validate(example["value"])
    for parameter in described(operation)["parameters"]:
        if "example" in parameter:
            jsonschema.validate(parameter["example"], parameter["schema"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_everything_is_described_and_has_an_example(operation: Operation) -> None:
    it = described(operation)
    assert it["summary"]
    assert it["description"]
    assert all(parameter["description"] for parameter in it["parameters"])
    names = set(re.findall(r"\{(\w+)\}", operation.path))
    assert {each["name"] for each in it["parameters"] if each["in"] == "path"} == names
    for where, media_type, content in contents(operation):
        if operation.path != "/openapi.json" or where != "200":
            assert content["examples"], (where, media_type)
    scope = ACCESS[(operation.method, operation.path)]
    assert it["security"] == ([] if scope == "anybody" else [{"bearer": [scope]}])


def test_every_type_of_problem_is_described() -> None:
    shown = {
        name
        for operation in OPERATIONS
        for _, media_type, content in contents(operation)
        if media_type == "application/problem+json"
        for name in content["examples"]
    }
    assert shown == set(DETAILS) == set(KINDS) - ELSEWHERE


def test_the_document_and_the_page_are_served(console: Console, program: Program) -> None:
    assert program.get("/openapi.json") == DOCUMENT
    answer = console.ask("GET", "/api/v1/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for operation in OPERATIONS:
        assert f"{operation.method} /api/v1{operation.path}" in answer.text
    assert "<code>Authorization: Bearer TOKEN</code>" in answer.text
    assert "&lt;code" not in answer.text
    assert "<script" not in answer.text
    assert not re.search(r'(?:src|href)="(?!/|#|data:,)', answer.text)


def test_a_type_of_problem_can_be_looked_up(program: Program) -> None:
    for name, kind in KINDS.items():
        assert program.get(f"/problems/{name}")["status"] == kind.status
