"""YAML and JSON as one tree: values stay text, places are told, and nothing can grow."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publisher.intake.tree import (
    MAX_DEPTH,
    Node,
    RepeatedKey,
    TreeError,
    find_dropped,
    parse_json,
    parse_yaml,
)


def plain(node: Node) -> Any:
    """A tree without its places."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def lines(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: lines(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [lines(child) for child in node.value]
    return node.line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: no\nb: 2025-12-15\nc: 1e3\nd: 0777\ne: true", "no 2025-12-15 1e3 0777 true"),
        ("a: 'x'\nb: \"y\"\nc: |\n  z\nd: >-\n  w\ne: v", "x y z\n w v"),
    ],
)
def test_yaml_guesses_nothing(text: str, expected: str) -> None:
    assert " ".join(plain(parse_yaml(text)).values()) == expected


def test_nothing_is_null_and_the_rest_is_text() -> None:
    assert plain(parse_yaml("a:\nb: ~\nc: null\nd: 'null'\ne: ''\n")) == {
        **dict.fromkeys("abc"),
        "d": "null",
        "e": "",
    }
    assert plain(parse_json('{"a": null, "b": "null", "c": true, "d": -1.5e3, "e": []}')) == {
        "a": None,
        "b": "null",
        "c": "true",
        "d": "-1.5e3",
        "e": [],
    }


def test_every_value_knows_its_line() -> None:
    text = "a: 1\nb:\n  - c: 2\n    d: |\n      three\n  -\n    e: 4\n"
    assert lines(parse_yaml(text)) == {"a": 1, "b": [{"c": 3, "d": 5}, {"e": 7}]}
    text = '{"a": 1,\n "b": [{"c": 2,\n  "d": "x"}, 5,\n\n 6]}'
    assert lines(parse_json(text)) == {"a": 1, "b": [{"c": 2, "d": 3}, 3, 5]}


def test_places_are_counted_in_characters() -> None:
    for text in ("🎬: 汉字\nid: 'é🎭' # x\n", '{"🎬": "汉字",\n "id": "é🎭"}'):
        parse = parse_yaml if text[0] == "🎬" else parse_json
        root = parse(text)
        assert isinstance(root.value, dict)
        node = root.value["id"]
        assert text[node.offset : node.end].strip("'\"") == "é🎭"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: &x 1\nb: *x", 2),
        ("a: &x [1, 1]\nb: &y [*x, *x]", 2),
        ("a: &x {b: 1}\n<<: *x", 2),
        ("a: [\n", 2),
        ("a: b: c", 1),
        ("a: 1\n b: 2", 2),
        ("\ta: 1", 1),
        ("a: 1\n---\nb: 2", 2),
        ("? [a, b]\n: c", 1),
        ("~: a", 1),
        ("{a: 1", 1),
        ("a: 'x", 1),
        ("%YAML 7.0\n---\na: 1", 1),
        ("a: !!\x01 x", 1),
        ('a: "\\ud800"', 1),
        ('a: "\\xZZ"', 1),
        ("@a: 1", 1),
        ("[" * 100, 1),
        ("- " * 100, 1),
    ],
)
def test_yaml_that_cannot_be_read_says_where(text: str, line: int) -> None:
    with pytest.raises(TreeError) as caught:
        parse_yaml(text)
    assert abs(caught.value.line - line) <= 1
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        *(("", 1), ("{", 1), ("{}\n{}", 2), ("{'a': 1}", 1), ('{"a": 1,}', 1), ("nul", 1)),
        *(('{"a"\n: tru}', 2), ('{"a": "\n"}', 1), ('{"a": 01}', 1), ('["\\x"]', 1), ("[1 2]", 1)),
        *(("[" * 100_000, 1), ('{"a":' * 5_000, 1), ("[" * 20 + "]" * 20, 1)),
        ('{"a": ' + "9" * 5_000 + "}", 1),
    ],
)
def test_json_that_cannot_be_read_says_where(text: str, line: int) -> None:
    with pytest.raises(TreeError) as caught:
        parse_json(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a: 1\nb: 2\na: 3", "a", 3),
        ("a:\n  b: 1\n  b: 2", "b", 3),
        ("{a: 1, a: 2}", "a", 1),
        ('a: 1\n"a": 2', "a", 2),
    ],
)
def test_a_repeated_key_is_named(text: str, key: str, line: int) -> None:
    with pytest.raises(RepeatedKey) as caught:
        parse_yaml(text)
    assert (caught.value.key, caught.value.line) == (key, line)


def test_a_repeated_key_in_json_is_named() -> None:
    with pytest.raises(RepeatedKey) as caught:
        parse_json('{"a": {"b": 1},\n"c": {"b": 1,\n"\\u0062": 2}}')
    assert (caught.value.key, caught.value.line) == ("b", 3)


def test_tags_and_anchors_make_nothing() -> None:
    text = "a: !!python/object/apply:os.system [x]\nb: !!binary aGk=\nc: &d e\n"
    assert plain(parse_yaml(text)) == {"a": ["x"], "b": "aGk=", "c": "e"}


@pytest.mark.parametrize("parse", [parse_yaml, parse_json])
def test_depth_is_bounded(parse: Any) -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse(deepest)
    with pytest.raises(TreeError, match="too deeply"):
        parse(f"[{deepest}]")


def test_forbidden_characters_of_escapes_are_dropped_and_told() -> None:
    root = parse_json('{"a": "x\\u0000y",\n"b": ["\\ud800", "\\ud83c\\udfac"], "\\u001bc": 1}')
    assert plain(root) == {"a": "xy", "b": ["", "🎬"], "c": "1"}
    assert [(node.line, node.dropped) for node in find_dropped(root)] == [(1, "\0"), (2, "\ud800")]
    [node] = find_dropped(parse_yaml('a: 1\nb: "x\\x07y"'))
    assert (node.line, node.value) == (2, "xy")


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def as_text(value: Any) -> Any:
    """What the tree must make of a value: everything but null is text, with one line end."""
    if isinstance(value, dict):
        return {as_text(key): as_text(child) for key, child in value.items()}
    if isinstance(value, list):
        return [as_text(child) for child in value]
    if isinstance(value, str):
        return re.sub("\r\n|[\r\f]", "\n", value)  # others are escapes that begin with \\u
    return None if value is None else json.dumps(value)


@given(_JSON, st.sampled_from([None, 2]), st.booleans())
@example(value={"\r": "a\rb\r\nc\fd"}, indent=None, is_ascii=False)
def test_any_json_is_read_as_json_reads_it(value: Any, indent: int | None, is_ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    try:
        found = plain(parse_json(text))
    except RepeatedKey:
        return  # two keys that differ in forbidden characters only
    if not list(find_dropped(parse_json(text))) and "\\u" not in text and text.isprintable():
        assert found == as_text(value)


@given(st.text(max_size=120), st.sampled_from([parse_yaml, parse_json]))
def test_any_text_is_read_or_refused(text: str, parse: Callable[[str], Node]) -> None:
    with suppress(TreeError):
        assert isinstance(parse(text), Node)
