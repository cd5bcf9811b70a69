"""Readers search the archive over HTTP, without scripts, and whatever they type."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from lxml import html as lxml_html

from publisher.site.build import build
from publisher.site.job import Job, search_path
from tests.web.public.site import Answer, Site, at_once, run_site

ENGLISH = """\
## A ferry becomes a <script>alert(1)</script> cinema {#ferry .film source="Harbour & Post"}

The *Morning Star* has a screen <b>on deck</b>, and "quotes" besides.
"""
CHINESE = """\
## 短剧《渡口》在海口开机 {#dukou source="影视周刊"}

该剧讲述一家三代摆渡人与一条河的故事。
"""
ARABIC = """\
## المُدَرِّسَة والاقتصاد {#madrasa}

تقوم العبّارة برحلتها المسائية.
"""


def write(site: Site, name: str, body: str, language: str = "en") -> None:
    head = f"---\nid: i{name}\nstatus: ready\nlanguage: {language}\n---\n\n"
    (site.folder / "issues").mkdir(exist_ok=True)
    (site.folder / f"issues/{name}.md").write_text(head + body)


def publish(site: Site) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    report = build(Job(folder=site.folder, settings=site.settings, output=site.public, now=now))
    assert not report.is_refused, report.problems


def publish_all(site: Site) -> None:
    write(site, "2026-01-05", ENGLISH)
    write(site, "2026-01-06", CHINESE, "zh-Hans")
    write(site, "2026-01-07", ARABIC, "ar")
    many = "".join(f"## Lantern {n} {{#lantern-{n}}}\n\nText.\n\n" for n in range(23))
    write(site, "2026-01-08", many)
    publish(site)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A built publication, served, that nobody changes."""
    with run_site(tmp_path_factory.mktemp("archive")) as site:
        publish_all(site)
        yield site


def ask(site: Site, text: str, **more: object) -> Answer:
    return site.get("/search/?" + urlencode({"q": text, **more}))


def parse(answer: Answer) -> lxml_html.HtmlElement:
    return lxml_html.document_fromstring(answer.body)


def hits(answer: Answer) -> list[str]:
    """The paths of what was found."""
    links = parse(answer).cssselect(".entries h2 a")
    return [str(link.get("href")).removeprefix("https://daily.example") for link in links]


def status(answer: Answer) -> str:
    [line] = parse(answer).cssselect('[role="status"]')
    return str(line.text_content())


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("cinema morn", "/highlights/ferry/"),
        ("渡口", "/highlights/dukou/"),
        ("المدرسة", "/highlights/madrasa/"),
        ("اقتصاد", "/highlights/madrasa/"),
    ],
)
def test_words_find_what_has_them(archive: Site, text: str, path: str) -> None:
    answer = ask(archive, text)
    assert answer.status == 200
    assert hits(answer) == [path]
    assert status(answer) == "Results: 1"
    assert parse(answer).cssselect("#search_text")[0].get("value") == text


def test_the_page_says_the_language_of_each_result(archive: Site) -> None:
    [item] = parse(ask(archive, "渡口")).cssselect(".entries li")
    assert (item.get("lang"), item.get("dir")) == ("zh-Hans", "ltr")
    assert [mark.text for mark in item.cssselect("mark")] == ["渡口"]
    assert item.cssselect("time")[0].get("datetime") == "2026-01-06"
    [item] = parse(ask(archive, "مدرسة")).cssselect(".entries li")
    assert (item.get("lang"), item.get("dir")) == ("ar", "rtl")
    [line] = item.cssselect(".facts")
    assert (line.get("lang"), line.get("dir")) == ("en", "ltr")


def test_nobody_keeps_or_lists_an_answer_and_no_script_runs_in_it(archive: Site) -> None:
    answer = ask(archive, "ferry")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert '<meta name="robots" content="noindex">' in answer.text
    assert "<script" not in answer.text


def test_markup_in_titles_texts_and_queries_is_text(archive: Site) -> None:
    answer = ask(archive, '<script>alert(1)</script> "><img src=x onerror=alert(1)>')
    page = parse(answer)
    assert not page.cssselect("script, img, main b")
    answer = ask(archive, "alert")
    [title] = parse(answer).cssselect(".entries h2")
    assert title.text_content() == "A ferry becomes a <script>alert(1)</script> cinema"
    assert "<b>" in parse(ask(archive, "deck")).cssselect(".entries p")[0].text_content()


def test_what_is_found_is_turned_page_by_page_by_links(archive: Site) -> None:
    seen: list[str] = []
    path = "?" + urlencode({"q": "lantern"})
    for _ in range(3):
        answer = archive.get(f"/search/{path}")
        seen += hits(answer)
        onward = parse(answer).cssselect('a[rel="next"]')
        path = str(onward[0].get("href")) if onward else ""
    assert path == ""
    assert len(seen) == len(set(seen)) == 23
    assert status(answer) == "Results: 23"
    back = parse(answer).cssselect('a[rel="prev"]')[0].get("href")
    assert hits(archive.get(f"/search/{back}")) == seen[10:20]


@pytest.mark.parametrize("page", ["0", "-1", "99999", "9" * 4000, "x", "", "٣"])
def test_a_page_that_is_none_is_the_nearest(archive: Site, page: str) -> None:
    answer = ask(archive, "lantern", page=page)
    assert answer.status == 200
    assert hits(answer)


HOSTILE = [
    *(
        '"',
        '""',
        '"""',
        "'",
        "`",
        "\\",
        "*",
        "^",
        "-",
        "--",
        "+",
        "(",
        ")",
        "()",
        "{",
        "}",
        ":",
        ";",
    ),
    *("AND", "OR", "NOT", "NEAR", "a AND", "OR b", "NOT c", "NEAR(a b, 2)", "NEAR(", "a NEAR b"),
    *(
        "title:a",
        "title : a",
        "{title labels}: a",
        "-title:a",
        "^a",
        "a*",
        "*a",
        "a+b",
        'a" *',
        'a"b',
    ),
    *(
        "term",
        "rank",
        "rank MATCH 'bm25(10)'",
        "integrity-check",
        "-",
        "- a",
        "a -",
        'a -"',
        '-"a b',
    ),
    *("'; DROP TABLE entry; --", "' OR 1=1 --", "1; ATTACH DATABASE 'x' AS y", "%", "_", "?", "?1"),
    *(
        "\0",
        "a\0b",
        "\x01\x1f\x7f",
        "\r\nSet-Cookie: a=b",
        "\ud7ff\ue000",
        "\u202e\u2066",
        "\ufeff",
    ),
    *(
        "😀",
        "👩‍👩‍👧‍👦",
        "🇨🇳",
        "e\u0301" * 90,
        "\u0301" * 200,
        "ﷺ" * 200,
        "字" * 10_000,
        "a" * 10_000,
    ),
    *(
        "a " * 5_000,
        '"' * 10_000,
        "-a " * 5_000,
        "(" * 10_000,
        "lantern " * 1_000,
        '"a b" ' * 1_000,
    ),
    *("<script>alert(1)</script>", "{{ 7 * 7 }}", "${7*7}", "../../etc/passwd", "%00", "&q=x", "#"),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_is_typed_is_an_error(archive: Site, text: str) -> None:
    answer = ask(archive, text[:3000])
    assert answer.status == 200
    field = parse(answer).cssselect("#search_text")[0]
    assert len(field.get("value")) <= 200
    if parse(answer).cssselect(".entries"):
        assert re.fullmatch(
            r"Results: \d+|Nothing was found\..*|There is no word.*", status(answer)
        )


@pytest.mark.parametrize(
    "sent",
    [
        *("", "?", "?q", "?q=", "?q=%", "?q=%zz", "?q=%ff%fe", "?q=%E5%8C", "?q=a&q=b", "?="),
        *("?" + "q=a&" * 2000, "?x=%00", "?q=%00", "?q[]=a", "?q=" + "%C0%AF" * 20),
    ],
)
def test_nothing_that_is_sent_is_an_error(archive: Site, sent: str) -> None:
    answer = archive.get(f"/search/{sent}")
    assert answer.status == 200
    assert parse(answer).cssselect("form")


def test_the_first_of_two_queries_counts(archive: Site) -> None:
    assert hits(archive.get("/search/?q=ferry&q=lantern")) == ["/highlights/ferry/"]


def test_an_address_without_its_slash_goes_on_with_its_query(archive: Site) -> None:
    answer = archive.get(f"/search?q={quote('渡口')}")
    assert answer.status == 301
    assert answer.headers["location"] == f"./search/?q={quote('渡口')}"


def test_a_head_says_what_a_get_would(archive: Site) -> None:
    answer = archive.ask("HEAD", "/search/?q=ferry")
    assert (answer.status, answer.body) == (200, b"")


def test_other_methods_are_refused(archive: Site) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert archive.ask(method, "/search/?q=a", b"q=a").status == 405


def test_the_page_for_sites_without_a_server_may_run_its_own_script(archive: Site) -> None:
    answer = archive.get("/search/index.html")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'; connect-src 'self'" in policy
    script = re.search(r'<script src="\.\./(assets/search-\w+\.js)" defer></script>', answer.text)
    assert script
    told = archive.get(f"/{script[1]}").headers
    assert told["content-type"].startswith("text/javascript")
    assert "immutable" in told["cache-control"]
    others = ("/", "/issues/2026-01-05/", "/highlights/ferry/", "/nowhere")
    policies = [archive.get(path).headers["content-security-policy"] for path in others]
    assert not any("script-src" in policy for policy in policies)


def test_browsers_learn_of_it(archive: Site) -> None:
    answer = archive.get("/opensearch.xml")
    assert answer.headers["content-type"].startswith("application/opensearchdescription+xml")


def test_many_at_once_are_all_answered(archive: Site) -> None:
    answers = at_once(24, lambda n: ask(archive, ("lantern", "渡口", "a b c d")[n % 3]))
    assert {answer.status for answer in answers} == {200}


def test_a_publication_that_was_never_built_says_so(site: Site) -> None:
    answer = ask(site, "ferry")
    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert status(answer).startswith("Search is not available just now.")
    assert parse(answer).cssselect("form")


def damage(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at")


def make_newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [damage, make_newer, empty, Path.unlink])
def test_a_damaged_index_is_said_and_mended_by_the_next_build(
    site: Site, harm: Callable[[Path], object]
) -> None:
    write(site, "2026-01-05", ENGLISH)
    publish(site)
    path = search_path(site.folder, site.public)
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    harm(path)
    assert ask(site, "ferry").status == 503
    publish(site)
    assert hits(ask(site, "ferry")) == ["/highlights/ferry/"]


def test_a_new_issue_is_found_as_soon_as_it_is_built(site: Site) -> None:
    write(site, "2026-01-05", ENGLISH)
    publish(site)
    assert hits(ask(site, "渡口")) == []
    write(site, "2026-01-06", CHINESE, "zh-Hans")
    publish(site)
    assert hits(ask(site, "渡口")) == ["/highlights/dukou/"]


def test_a_broken_template_of_its_own_is_said_without_a_traceback(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "pages" / "results.html"
    own.parent.mkdir(parents=True)
    own.write_text("{{ 1 / 0 }}")
    with run_site(tmp_path) as site:
        answer = ask(site, "ferry")
        assert answer.status == 503
        assert "Traceback" not in answer.text


def test_a_chinese_publication_speaks_chinese(tmp_path: Path) -> None:
    language = {"language": "zh", "url": "https://daily.example"}
    with run_site(tmp_path, publication=language) as site:
        write(site, "2026-01-06", CHINESE, "zh")
        publish(site)
        assert status(ask(site, "渡口")) == "结果：1 条"
        assert parse(ask(site, "渡口")).get("lang") == "zh"
