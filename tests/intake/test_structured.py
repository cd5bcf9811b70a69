"""YAML and JSON, as programs write them, right and wrong."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from publisher.intake.read import read_issue
from publisher.intake.schema import issue_schema
from publisher.model.issue import Issue

Said = list[tuple[str, int | None]]


def read(document: Any, name: str = "2025-12-15") -> tuple[Issue | None, Said]:
    text = document if isinstance(document, str) else json.dumps(document)
    issue, problems = read_issue(text.encode(), f"issues/{name}.json", ZoneInfo("UTC"))
    return issue, [(problem.rule, problem.line) for problem in problems]


SOUND: dict[str, Any] = {
    "id": "a",
    "title": "T",
    "highlights": [{"id": "b", "title": "B", "body": "Text."}],
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"highlights": None}, [("highlights-missing", None)]),
        ({"highlights": []}, [("highlights-missing", None)]),
        ({"highlights": "x"}, [("field-unreadable", 1), ("highlights-missing", None)]),
        ({"highlights": {"id": "b"}}, [("field-unreadable", 1), ("highlights-missing", None)]),
        ({"highlights": [1, None, [], *SOUND["highlights"]]}, [("field-unreadable", 1)]),
        ({"introduction": ["x"]}, [("field-unreadable", 1)]),
        ({"title": ["x"]}, [("field-invalid", 1), ("title-missing", 1)]),
        ({"title": None}, [("title-missing", 1)]),
        ({"id": ["a"]}, [("field-unreadable", 1), ("id-missing", 1)]),
        ({"id": 7}, []),
        ({"guid": {"a": "b"}}, [("field-unreadable", 1)]),
        ({"status": "READY"}, []),
        ({"status": True}, [("field-unreadable", 1)]),
        ({"mail": 0}, [("field-unreadable", 1)]),
        ({"number": True}, [("field-invalid", 1)]),
        ({"number": 1.5}, [("field-invalid", 1)]),
        ({"number": float("nan")}, [("field-invalid", 1)]),
        ({"Title": "x"}, [("field-unknown", 1)]),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_read(change: dict[str, Any], expected: Said) -> None:
    issue, said = read({**SOUND, **change})
    assert issue is not None
    assert sorted(said, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"body": None}, [("body-missing", 1)]),
        ({"body": ["x"]}, [("body-missing", 1), ("field-unreadable", 1)]),
        ({"title": " "}, [("title-missing", 1)]),
        ({"id": None}, [("id-missing", 1)]),
        ({"id": "B"}, [("id-invalid", 1), ("id-missing", 1)]),
        ({"image": ["a"]}, [("field-invalid", 1)]),
        ({"image": "a", "width": "wide"}, [("field-invalid", 1)]),
        ({"tags": {"a": 1}}, [("field-invalid", 1)]),
        ({"paragraphs": []}, [("field-unknown", 1)]),
    ],
)
def test_what_is_wrong_with_a_highlight_is_said(
    change: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    issue, said = read({**SOUND, "highlights": [{**SOUND["highlights"][0], **change}]})
    assert issue is not None
    assert len(issue.highlights) == 1
    assert sorted(said, key=str) == expected


@pytest.mark.parametrize("text", ["", "[]", "1", "null", '"x"', "{", "{}{}", "\ufeff["])
def test_what_is_no_issue_at_all(text: str) -> None:
    issue, said = read(text)
    assert issue is None
    assert said == [("front-matter-unreadable", 1)]


def test_an_empty_mapping_lacks_everything() -> None:
    issue, said = read("{}", "a-name")
    assert issue is not None
    assert {rule for rule, _ in said} == {
        *("date-missing", "highlights-missing", "id-missing", "title-missing"),
    }


def test_a_bodys_problems_are_at_its_own_lines() -> None:
    text = (
        "id: a\ntitle: T\nhighlights:\n- id: b\n  title: B\n  body: |\n    One.\n\n    <b>x</b>\n"
    )
    _, problems = read_issue(text.encode(), "issues/2025-12-15.yaml", ZoneInfo("UTC"))
    assert [(problem.rule, problem.line) for problem in problems] == [("raw-html", 9)]


@pytest.mark.parametrize(
    "change",
    [
        *({"id": "A"}, {"number": -1}, {"mail": "no"}, {"status": "done"}, {"titel": "x"}),
        *({"highlights": [{"id": "b"}]}, {"highlights": [{"title": "B", "width": 0}]}),
    ],
)
def test_the_schema_refuses_what_is_wrong(change: dict[str, Any]) -> None:
    jsonschema.validate(SOUND, issue_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**SOUND, **change}, issue_schema())
