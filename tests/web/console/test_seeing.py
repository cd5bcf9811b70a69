"""Seeing: what readers will get, in frames that run nothing, with the preflight beside it."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from publisher.site.message import render_checked
from publisher.web.console.frames import VIEWS
from tests.web.console.desks import DRAFT, run_desk, tidy
from tests.web.console.site import Browser, Console
from tests.web.console.test_media import make

SEE = "/issues/2026-01-05"
TEMPLATES = ("{{ 7*191 }}", "{% for x in y %}", "${7*191}", "<%= 7*191 %>", "{{ self.__init__ }}")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with run_desk(tmp_path_factory.mktemp("desk")) as console:
        yield console


@pytest.fixture(scope="module")
def editor(shared: Console) -> Browser:
    return shared.enter("editor")


@pytest.fixture
def desk(shared: Console) -> Console:
    tidy(shared)
    return shared


def _write(desk: Console, text: str) -> None:
    (desk.folder / "issues" / "2026-01-05.md").write_text(text)


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
def test_each_view_is_a_page_with_a_frame(desk: Console, editor: Browser, view: str) -> None:
    page = editor.get(f"{SEE}?view={view}")
    assert page.status == 200
    assert f'<iframe src="{SEE}/frame/{view}"' in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    frame = editor.get(f"{SEE}/frame/{view}")
    assert frame.status == 200
    assert "The first ship" in frame.text
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src ")
    assert "; sandbox allow-popups" in policy
    assert ("img-src 'none'" in policy) == (view == "images-off")
    assert frame.headers["x-content-type-options"] == "nosniff"
    assert frame.headers["referrer-policy"] == "no-referrer"


def test_it_is_what_is_sent(desk: Console, editor: Browser) -> None:
    """The text part to the letter, the subject, and every word of the message."""
    page = editor.get(SEE)
    rendered = render_checked(desk.folder, desk.settings, desk.clock(), "2026-01-05").rendered
    assert "Monday&#39;s highlights</bdi></strong>" in page.text
    text = editor.get(f"{SEE}/frame/text").text
    for line in rendered.text.splitlines()[:6]:
        assert line.replace("'", "&#39;") in text
    words = re.sub(r"<[^>]+>", " ", rendered.html).split()
    shown = re.sub(r"<[^>]+>", " ", editor.get(f"{SEE}/frame/wide").text).split()
    assert len(set(words) - set(shown)) < 10


def test_the_preflight_stands_beside_it_with_lines(desk: Console, editor: Browser) -> None:
    _write(desk, DRAFT.replace("https://wire.example/ship", "javascript:alert(1)"))
    page = editor.get(SEE).text
    assert f'<a href="{SEE}/edit?line=10#text">Line 10</a>' in page
    assert '<li class="error">' in page
    edit = editor.get(f"{SEE}/edit?line=10").text
    assert 'data-line="10"' in edit
    for line in ("x", "-1", "9" * 30, '"><script>'):
        assert editor.get(f"{SEE}/edit?line={line}").status in (200, 400)


def test_images_come_with_a_key_and_not_without(desk: Console, editor: Browser) -> None:
    (desk.folder / "media" / "ship.png").write_bytes(make("PNG"))
    _write(desk, DRAFT.replace("It came in at noon.", "![A ship](media/ship.png)"))
    for view in ("wide", "page", "feeds"):
        frame = editor.get(f"{SEE}/frame/{view}").text
        found = re.search(r'src="(/frames/[^"]+/media/ship\.png)"', frame)
        assert found, view
        path, stranger = found[1], desk.browse()
        image = stranger.get(path)
        assert (image.status, image.headers["content-type"]) == (200, "image/png")
        assert image.headers["cross-origin-resource-policy"] == "cross-origin"
    key = path.split("/")[2]
    last = "1" if key.endswith("0") else "0"
    for wrong in (f"{key[:-1]}{last}", f"f{key}", "x-y", f"-{key}", key.partition("-")[0]):
        assert stranger.get(f"/frames/{wrong}/media/ship.png").status in (400, 404)
    for other in (
        "publisher.db",
        "issues/2026-01-05.md",
        "media/../publisher.db",
        "publisher.toml",
    ):
        assert stranger.get(f"/frames/{key}/{other}").status == 404
    desk.clock.ahead = timedelta(hours=3)
    assert stranger.get(path).status == 404


@pytest.mark.parametrize(
    "payload", [*TEMPLATES, "<script>alert(1)</script>", "<img src=x onerror=alert(1)>"]
)
def test_what_titles_hold_is_only_words(desk: Console, editor: Browser, payload: str) -> None:
    text = DRAFT.replace("Monday's highlights", payload.replace('"', "'"))
    _write(desk, text.replace("The second ship", payload))
    shown = [editor.get(path).text for path in ("/issues", SEE, f"{SEE}/edit", f"{SEE}/delete")]
    shown += [editor.get(f"{SEE}/frame/{view.name}").text for view in VIEWS]
    for page in shown:
        assert "1337" not in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_file_that_cannot_be_read_says_so(desk: Console, editor: Browser) -> None:
    _write(desk, "---\ntitle: [\n---\n")
    page = editor.get(SEE)
    assert (page.status, "There is nothing to show" in page.text) == (200, True)
    assert editor.get(f"{SEE}/frame/wide").status == 404
    for path in (
        "/issues/none",
        "/issues/none/frame/wide",
        f"{SEE}/frame/none",
        f"{SEE}?view=none",
    ):
        assert editor.get(path).status == 404


def test_an_image_that_was_just_added_is_known_to_the_live_preview(
    desk: Console, editor: Browser
) -> None:
    editor.get("/issues")  # the folder is read, and no issue shows it yet
    (desk.folder / "media" / "new.png").write_bytes(make("PNG"))
    text = f"{DRAFT}\n![A new image](media/new.png)\n"
    found = json.loads(editor.post(f"{SEE}/preview", {"text": text}).text)["problems"]
    assert not [each for each in found if "size of the image" in each["message"]]


def test_the_live_preview_is_of_what_is_not_saved(desk: Console, editor: Browser) -> None:
    fields = {"text": DRAFT.replace("oranges", "lemons"), "view": "wide"}
    answer = editor.post(f"{SEE}/preview", fields)
    assert answer.status == 200
    path = re.search(r'"frame":"([^"]+)"', answer.text)
    assert path
    frame = editor.get(path[1])
    assert "lemons" in frame.text
    assert "sandbox" in frame.headers["content-security-policy"]
    assert '"id":"hx2c9mrd4p"' in answer.text
    page = editor.post(f"{SEE}/preview", fields | {"view": "page"})
    assert "lemons" in editor.get(re.search(r'"frame":"([^"]+)"', page.text)[1]).text  # type: ignore[index]
    assert "oranges" in (desk.folder / "issues" / "2026-01-05.md").read_text()
    other = desk.enter("owner")
    assert other.get(path[1]).status == 404
    broken = editor.post(f"{SEE}/preview", {"text": "---\ntitle: [\n---\n"})
    assert '"frame":""' in broken.text
    assert '"level":"error"' in broken.text
    new = editor.post(f"{SEE}/preview", {"text": "# New\n\n## Without an id\n\nText.\n"})
    assert new.status == 200
    long = editor.post(f"{SEE}/preview", {"text": "x" * 200_001})
    assert '"problems":null' in long.text


def test_a_published_issue_of_long_ago_stands_in_its_months_documents(
    desk: Console, editor: Browser
) -> None:
    for day in range(10, 20):
        text = DRAFT.replace("2026-01-05", f"2026-03-{day}")
        for id in ("kd7m3xq2vt", "wq4n8ztb6k", "hx2c9mrd4p", "mf5v7jwc2h"):
            text = text.replace(id, f"{id}-{day}")
        (desk.folder / "issues" / f"2026-03-{day}.md").write_text(text)
    editor.get(SEE)
    frame = editor.get(f"{SEE}/frame/feeds").text
    assert "3 in archive/2026-01/feed.atom" in frame
