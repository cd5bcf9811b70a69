"""Minting ids: every other byte stays, whatever form, line ends and layout the file has."""

import re
from collections.abc import Iterator
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.intake.ids import Minted, mint_ids
from publisher.intake.read import read_issue
from publisher.intake.tree import TreeError
from publisher.model.issue import Issue

UTC = ZoneInfo("UTC")


def mint(data: str | bytes, path: str, *, is_fresh: bool = False, **fields: str) -> Minted:
    numbers = count(1)
    raw = data.encode() if isinstance(data, str) else data
    return mint_ids(raw, path, lambda: f"new{next(numbers)}", is_fresh=is_fresh, fields=fields)


def minted_text(data: str, path: str, *, is_fresh: bool = False, **fields: str) -> str:
    return mint(data, path, is_fresh=is_fresh, **fields).data.decode()


def read(data: bytes, path: str) -> Issue:
    issue, problems = read_issue(data, path, UTC)
    assert issue is not None, problems
    return issue


def ids_of(issue: Issue) -> Iterator[str]:
    yield issue.id
    yield from (highlight.id for highlight in issue.highlights)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Headings
        ("## One", "## One {#new1}"),
        ("## One  ", "## One {#new1}  "),
        ("## One ##", "## One {#new1} ##"),
        ("   ##   One", "   ##   One {#new1}"),
        ("## One {.tag}", "## One {#new1 .tag}"),
        ("## One { .tag }", "## One { #new1 .tag }"),
        ("## One {.tag} #", "## One {#new1 .tag} #"),
        ('## One {source="a } #b"}', '## One {#new1 source="a } #b"}'),
        ("## One {#Bad_Id .tag}", "## One {#new1 .tag}"),
        ('## One {id="Bad Id"}', "## One {#new1}"),
        ("## [One](https://x.example/#a){.tag}", "## [One](https://x.example/#a){#new1 .tag}"),
        ("## One \\{#x}", "## One \\{#x} {#new1}"),
        ("## One {#x", "## One {#x {#new1}"),
        ("## `{#x}`", "## `{#x}` {#new1}"),
        ("## 电影 {.电影}", "## 电影 {#new1 .电影}"),
        ("##", "## {#new1}"),
        # Nothing to do
        ("## One {#one}", "## One {#one}"),
        ('## One {id="one"}', '## One {id="one"}'),
        ("## One {.tag #one}", "## One {.tag #one}"),
        # No highlights
        ("# One", "# One"),
        ("### One", "### One"),
        ("> ## One", "> ## One"),
        ("- ## One", "- ## One"),
        ("```\n## One\n```", "```\n## One\n```"),
        ("\\## One", "\\## One"),
    ],
)
def test_headings(before: str, after: str) -> None:
    text = "---\nid: issue\n---\n\nWords.\n\n{}\n\nText.\n"
    assert minted_text(text.format(before), "a.md") == text.format(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("---\ntitle: T\n---\n", "---\nid: new1\ntitle: T\n---\n"),
        ("---\n---\n", "---\nid: new1\n---\n"),
        ("---\n# ours\n\ntitle: T # so\n---\n", "---\n# ours\n\nid: new1\ntitle: T # so\n---\n"),
        ("---\n# ours\n---\n", "---\nid: new1\n# ours\n---\n"),
        ("---\nid:\ntitle: T\n---\n", "---\nid: new1\ntitle: T\n---\n"),
        ("---\nid: # to come\ntitle: T\n---\n", "---\nid: new1 # to come\ntitle: T\n---\n"),
        ("---\nid: ~\n---\n", "---\nid: new1\n---\n"),
        ("---\nid: 'Bad Id'\n---\n", "---\nid: new1\n---\n"),
        ("---\n{title: T}\n---\n", "---\n{id: new1, title: T}\n---\n"),
        ("--- \ntitle: T\n...\n", "--- \nid: new1\ntitle: T\n...\n"),
        ("Words.\n", "---\nid: new1\n---\n\nWords.\n"),
        ("", "---\nid: new1\n---\n\n"),
    ],
)
def test_front_matter(before: str, after: str) -> None:
    assert minted_text(before, "a.md") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("title: T\n", "id: new1\ntitle: T\n"),
        ("# ours\ntitle: T\n", "# ours\nid: new1\ntitle: T\n"),
        ("---\ntitle: T\n", "---\nid: new1\ntitle: T\n"),
        ("%YAML 1.1\n---\ntitle: T\n...\n", "%YAML 1.1\n---\nid: new1\ntitle: T\n...\n"),
        ("{title: T}\n", "{id: new1, title: T}\n"),
        ("{ title: T }\n", "{id: new1, title: T }\n"),
        ("{\n  title: T\n}\n", "{\n  id: new1,\n  title: T\n}\n"),
        ("{}", "{id: new1}"),
        (
            "id: a\nhighlights:\n- title: One\n  body: x\n",
            "id: a\nhighlights:\n- id: new1\n  title: One\n  body: x\n",
        ),
        (
            "id: a\nhighlights:\n    -   title: One\n",
            "id: a\nhighlights:\n    -   id: new1\n        title: One\n",
        ),
        (
            "id: a\nhighlights:\n  -\n    # ours\n    title: One\n",
            "id: a\nhighlights:\n  -\n    # ours\n    id: new1\n    title: One\n",
        ),
        (
            "id: a\nhighlights: [{title: One}, {title: Two, id: b}]\n",
            "id: a\nhighlights: [{id: new1, title: One}, {title: Two, id: b}]\n",
        ),
        (
            "id: a\nhighlights:\n- &x !!map\n  title: One\n",
            "id: a\nhighlights:\n- &x !!map\n  id: new1\n  title: One\n",
        ),
        (
            'id: a\nhighlights:\n- "title": "…"\n',
            'id: a\nhighlights:\n- id: new1\n  "title": "…"\n',
        ),
        ("id:   !!str  Bad\n", "id:   new1\n"),
        ("id: >-\n  Bad Id\ntitle: T\n", "id: new1\ntitle: T\n"),
        ("title: T\nid: |\n  Bad Id\n", "title: T\nid: new1\n"),
        ("id: a\n", "id: a\n"),
    ],
)
def test_yaml(before: str, after: str) -> None:
    for path in ("a.yaml", "a.yml"):
        assert minted_text(before, path) == after
        assert all(ids_of(read(after.encode(), path)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{"id": "new1"}'),
        ("{ }", '{"id": "new1" }'),
        ('{"title":"T"}', '{"id": "new1", "title":"T"}'),
        ('{ "title": "T" }', '{"id": "new1", "title": "T" }'),
        ('{\n\t"title": "T"\n}\n', '{\n\t"id": "new1",\n\t"title": "T"\n}\n'),
        ('{"id": null, "title": "T"}', '{"id": "new1", "title": "T"}'),
        ('{"title": "T", "id": "Bad Id"}', '{"title": "T", "id": "new1"}'),
        ('{"id": -5}', '{"id": "new1"}'),
        ('{"id": ""}', '{"id": "new1"}'),
        (
            '{"id": "a", "highlights": [{"title": "\\u00e9, \\"{id"}, {"id": "b"}]}',
            '{"id": "a", "highlights": [{"id": "new1", "title": "\\u00e9, \\"{id"}, {"id": "b"}]}',
        ),
    ],
)
def test_json(before: str, after: str) -> None:
    assert minted_text(before, "a.json") == after


FILES = {
    "a.md": "---\n# ours\ntitle: T\n---\n\n## One\n\nText.\n\n## Two {.tag #two}\n\nText.\n",
    "a.yaml": "# ours\ntitle: T\nhighlights:\n- title: One\n- {id: two, title: Two}\n",
    "a.json": '{\n  "title": "T",\n  "highlights": [{"title": "One"}, {"id": "two"}]\n}\n',
}


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_the_byte_order_mark(path: str, ending: str, mark: str) -> None:
    plain = mint(FILES[path], path)
    assert plain.count == 2
    other = mint((mark + FILES[path].replace("\n", ending)).encode(), path)
    assert other.data == (mark + plain.data.decode().replace("\n", ending)).encode()


def test_what_reading_drops_is_kept_in_the_file() -> None:
    text = "---\r\ntitle: A\0B\x07C\r\n---\n\n## O\x00ne\x01 \n\nT\u2028e\x0bxt\x85.\r\r\n## Two"
    expected = text.replace("title", "id: new1\r\ntitle").replace("\x01 \n", "\x01 {#new2} \n")
    assert minted_text(text, "a.md") == expected + " {#new3}"


def test_the_count() -> None:
    for path, text in FILES.items():
        assert mint(text, path).count == 2
        assert mint(mint(text, path).data, path).count == 0
        assert mint(text, path, is_fresh=True).count == 3


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            "a.md",
            '---\nid: a\nguid: urn:a # x\n---\n\n## One {#one guid="urn:1" .tag}\n\nText.\n',
            '---\nid: new1\nguid: "" # x\n---\n\n## One {#new2 guid="" .tag}\n\nText.\n',
        ),
        (
            "a.yaml",
            "guid: urn:a\nid: a\nhighlights: [{guid: 'urn:1', id: one}]\n",
            'guid: ""\nid: new1\nhighlights: [{guid: "", id: new2}]\n',
        ),
        (
            "a.json",
            '{"id": "a", "guid": "urn:a", "highlights": [{"id": "one"}]}',
            '{"id": "new1", "guid": "", "highlights": [{"id": "new2"}]}',
        ),
    ],
)
def test_all_anew(path: str, before: str, after: str) -> None:
    assert minted_text(before, path, is_fresh=True) == after


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            "a.md",
            "---\nstatus: ready # x\nid: a\n---\n",
            "---\ndate: 2026-01-01\nstatus: draft # x\nid: a\n---\n",
        ),
        ("a.md", "Words.\n", "---\nid: new1\ndate: 2026-01-01\nstatus: draft\n---\n\nWords.\n"),
        (
            "a.yaml",
            "id: a\nhighlights:\n- {status: x}\n",
            "date: 2026-01-01\nstatus: draft\nid: a\nhighlights:\n- {id: new1, status: x}\n",
        ),
        (
            "a.json",
            '{\n "date": "2025-01-01"\n}',
            '{\n "id": "new1",\n "status": "draft",\n "date": "2026-01-01"\n}',
        ),
    ],
)
def test_fields_besides(path: str, before: str, after: str) -> None:
    assert minted_text(before, path, date="2026-01-01", status="draft") == after


@pytest.mark.parametrize(
    ("path", "data", "line"),
    [
        ("a.md", b"---\nid: [\n---\n", 2),
        ("a.md", b"---\ntitle: T\n", 1),
        ("a.md", b"\xff\xfe", 1),
        ("a.yaml", b"- a\n- b\n", 1),
        ("a.yaml", b"id: {a: b}\n", 1),
        ("a.yaml", b"a: 1\na: 2\n", 2),
        ("a.json", b'{"id": ["a"]}', 1),
        ("a.json", b'{\n"id": \n', 3),
        ("a.json", b"", 1),
        # Places where there is no room for a key without a change of meaning.
        ("a.yaml", b"id: a\nhighlights:\n- ? title\n  : One\n", 1),
    ],
)
def test_what_cannot_be_done_is_said(path: str, data: bytes, line: int) -> None:
    with pytest.raises(TreeError) as raised:
        mint(data, path)
    assert raised.value.line == line


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HEADINGS = st.builds(
    "## {}{}".format,
    WORDS.map(lambda text: re.sub(r"\s", " ", text)),
    st.sampled_from(["", " {.tag}", " {#one}", ' {source="#x"}', " ##", " {#Bad}", " {", "\\"]),
)


@settings(deadline=None)
@given(
    st.lists(st.one_of(HEADINGS, WORDS), max_size=8),
    st.sampled_from(["", "---\ntitle: T\n---\n", "---\nid: x\nguid: y\n---\n"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_markdown_gets_its_ids_and_nothing_else(
    blocks: list[str], front: str, ending: str
) -> None:
    text = (front + "\n\n".join(blocks)).replace("\n", ending)
    try:
        after = mint(text, "a.md")
    except TreeError:
        return
    before, issue = read_issue(text.encode(), "a.md", UTC)[0], read(after.data, "a.md")
    if before is None:
        return
    assert all(ids_of(issue))
    assert [h.title for h in issue.highlights] == [h.title for h in before.highlights]
    assert [h.body for h in issue.highlights] != [] or issue.highlights == ()
    # What was put in, taken out again, leaves the file as it was; `#Bad` was replaced.
    removed = re.sub(r" ?\{#new\d+\}|#new\d+ ?", "", after.data.decode())
    removed = re.sub(r"---\r?\nid: new1\r?\n---\r?\n\r?\n|id: new1\r?\n", "", removed)
    emptied = re.compile(r" ?\{(#Bad)?\}")
    assert emptied.sub("", removed) == emptied.sub("", text)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=5), st.booleans(), st.sampled_from([None, 2]))
def test_any_json_gets_its_ids_and_nothing_else(
    titles: list[str], is_ascii: bool, indent: int | None
) -> None:
    import json

    document = {"title": "T", "highlights": [{"title": title, "body": "x"} for title in titles]}
    text = json.dumps(document, ensure_ascii=is_ascii, indent=indent)
    try:
        after = json.loads(mint(text, "a.json").data)
    except TreeError:  # raw characters that are no text
        return
    assert after.pop("id")
    assert all(highlight.pop("id") for highlight in after["highlights"])
    assert after == json.loads(text)
