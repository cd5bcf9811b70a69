"""The documentation's site: whole, without links that lead nowhere, and read off the code."""

import json
import shutil
from pathlib import Path

import pytest

from docs.site.build import build
from docs.site.contents import find_pages
from docs.site.links import find_broken
from docs.site.markdown import render
from publisher.cli import COMMANDS
from publisher.web.api.app import OPERATIONS
from tests.docs.blocks import PAGES, ROOT

# One worker writes it, for all of them.
pytestmark = pytest.mark.xdist_group("docs")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    build(ROOT, folder)
    return folder


def read(site: Path, path: str) -> str:
    return (site / path).read_text("utf-8")


def test_no_link_leads_nowhere(site: Path) -> None:
    assert find_broken(site) == []


def test_every_page_is_in_the_contents_of_every_other(site: Path) -> None:
    home = read(site, "index.html")
    names = [path.name for path in PAGES if path.name != "README.md"]
    for name in [*names, "CHANGELOG.md"]:
        page = f"{Path(name).stem.lower()}.html"
        assert (site / page).is_file()
        assert f'href="{page}"' in home
    for record in (ROOT / "docs" / "decisions").iterdir():
        assert f'href="{record.stem}.html"' in read(site, "decisions/index.html")


def test_a_page_that_no_section_names_is_in_the_contents_too(tmp_path: Path) -> None:
    for name in ("README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "docs" / "new.md").write_text("# Something new\n")
    (found,) = [page for page in find_pages(tmp_path) if page.source == "docs/new.md"]
    assert (found.title, found.path, found.section) == ("Something new", "new.html", "More")


def test_what_is_read_off_the_code_is_whole(site: Path) -> None:
    help_ = read(site, "reference/help.html")
    assert all(f">publisher {name}</h2>" in help_ for name in COMMANDS)
    routes = read(site, "reference/api.html")
    assert all(f">{each.method} /api/v1{each.path}</h2>" in routes for each in OPERATIONS)
    schema = json.loads(read(site, "reference/issue.schema.json"))
    issue = read(site, "reference/issue.html")
    fields = schema["$defs"]["HighlightDocument"]["properties"]
    assert all(f"<td><code>{name}</code></td>" in issue for name in fields)


def test_it_takes_nothing_from_elsewhere_and_no_script(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        assert "<script" not in text
        assert 'src="http' not in text


@pytest.mark.long
def test_the_same_text_gives_the_same_site(site: Path, tmp_path: Path) -> None:
    build(ROOT, tmp_path / "again")
    for file in site.rglob("*"):
        if file.is_file():
            assert (tmp_path / "again" / file.relative_to(site)).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("other.html", True),
        ("other.html#a-heading", True),
        ("#here", True),
        ("./", True),
        ("https://daily.example/x", True),
        ("other.html#nothing", False),
        ("missing.html", False),
        ("#nothing", False),
        ("../elsewhere.html", False),
        ("javascript:x", False),
    ],
)
def test_links_are_checked(tmp_path: Path, link: str, leads: bool) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (tmp_path / "elsewhere.html").write_text("")
    (folder / "other.html").write_text('<h2 id="a-heading">A heading</h2>')
    (folder / "index.html").write_text(f'<p id="here">\n<a href="{link}">x</a></p>')
    assert find_broken(folder) == ([] if leads else [f"index.html:2: {link} leads nowhere"])


def test_markdown_as_repositories_show_it() -> None:
    text = (
        "## `Two` words, one!\n\n## Two words one\n\n[a](b.md#c) [d](../LICENSE)\n"
        "![e](images/f.png)\n\n"
        "```mermaid\nstateDiagram-v2\n    [*] --> queued\n    queued --> sending: taken\n```\n"
    )
    places = {"docs/b.md": "b.html", "docs/images/f.png": "images/f.png"}
    html = render(text, "docs/sub/../x.md", "x.html", places)
    assert '<h2 id="two-words-one"><code>Two</code> words, one!</h2>' in html
    assert '<h2 id="two-words-one-1">' in html
    assert '<a href="b.html#c">' in html
    assert '<a href="LICENSE">' in html
    assert '<img src="images/f.png"' in html
    assert "<td>the beginning</td><td></td><td>queued</td>" in html
    assert "<td>queued</td><td>taken</td><td>sending</td>" in html
