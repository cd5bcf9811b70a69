"""schemathesis over the API, in each role: no defect, what the document says, nothing beyond it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from publisher.model.access import ROLES, SCOPES, Role, is_at_least
from publisher.web.api.access import ACCESS
from publisher.web.api.app import OPERATIONS
from publisher.web.api.openapi import make_document
from publisher.web.api.operation import Operation, api_path
from tests.web.api.site import NAME, Program, enter
from tests.web.console.site import Console, run_console

DOCUMENT = make_document(OPERATIONS)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("text/markdown")
def write_markdown(context: Any, value: Any) -> Any:
    return str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder: Path = tmp_path_factory.mktemp("api")
    (folder / "issues").mkdir()
    with run_console(folder, smtp={"host": "127.0.0.1", "port": 9}) as console:
        yield console


@pytest.fixture(scope="module")
def known(console: Console) -> dict[str, list[str]]:
    """What there is, by the names of the paths' parameters."""
    program = enter(console, name="maker")
    program.add_issue()
    program.add_issue(name="another")
    readers = [
        program.post("/subscribers", {"email": f"{name}@daily.example"}, status=201)["subscriber"]
        for name in ("anna", "bob", "eve")
    ]
    mailing = program.post("/mailings", {"issue": NAME, "digest": None}, status=201)["mailing"]
    made = program.post("/suppressions", {"email": "no@daily.example"}, status=201)
    return {
        "issue": [NAME, "another"],
        "mailing": [mailing],
        "subscriber": readers,
        "suppression": [str(made["suppression"])],
        "kind": ["changed"],
    }


def probe(program: Program, known: dict[str, list[str]], role: Role, number: int) -> None:
    """Try out everything; what came of it is printed, for `pytest -rP`."""
    came = Counter[int]()
    for operation in OPERATIONS:
        is_open = is_within(role, operation)
        # A refusal for want of the role looks at nothing else; what is slow builds the whole site.
        share = 4 if operation.is_slow or not is_open else 1
        tries = max(1, number // share)
        came += try_out(program, known, operation, tries, is_open=is_open)
    print(f"{role}: {came.total()} requests, by status {dict(sorted(came.items()))}")
    assert {200, 400, 404} <= set(came)


def is_within(role: Role, operation: Operation) -> bool:
    scope = ACCESS[(operation.method, operation.path)]
    return scope == "anybody" or is_at_least(role, SCOPES[scope])


def try_out(
    program: Program,
    known: dict[str, list[str]],
    operation: Operation,
    number: int,
    *,
    is_open: bool,
) -> Counter[int]:
    """Try out one operation so many times; gives how often each status was answered."""
    described = SCHEMA[api_path(operation.path)][operation.method]
    came = Counter[int]()
    modes = [described.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @seed(1)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(modes), data=st.data())
    def attempt(case: Any, data: st.DataObject) -> None:
        for name in set(case.path_parameters or ()) & set(known):
            if data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(known[name]))
        asked = case.as_transport_kwargs(base_url=program.console.url)
        # Set here: for an operation with a security scheme it tries to be nobody now and then.
        asked["headers"]["Authorization"] = f"Bearer {program.secret}"
        response = requests.request(**asked, timeout=60)
        came[response.status_code] += 1
        assert response.status_code != 401
        assert (response.status_code == 403) is not is_open, (case, response.text)
        case.validate_response(response, checks=CHECKS)

    attempt()
    return came


@pytest.mark.parametrize("role", ROLES)
def test_no_role_finds_a_defect_nor_does_more_than_it_may(
    console: Console, known: dict[str, list[str]], role: Role
) -> None:
    probe(enter(console, role=role, name=role), known, role, 4)


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_no_role_finds_a_defect_in_many_tries(
    console: Console, known: dict[str, list[str]], role: Role
) -> None:
    probe(enter(console, role=role, name=f"{role}-long"), known, role, 100)
