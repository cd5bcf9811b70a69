"""Drafting from sources in the console: who may, what is shown meanwhile, and the report."""

from collections.abc import Iterator
from threading import Event

import pytest

from tests.runtime.feed_server import FeedServer, answer, serving_feeds, write_rss
from tests.web.console.desks import run_desk, tidy
from tests.web.console.site import Browser, Console
from tests.web.public.site import Answer

FORM = {"date": "2026-01-06", "since": "36500d", "most": "10"}


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with serving_feeds() as feeds:
        yield feeds


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("desk")
    with run_desk(folder, sources={"allow_private": ["127.0.0.1"]}) as console:
        yield console


@pytest.fixture(scope="module")
def editor(shared: Console) -> Browser:
    return shared.enter("editor")


@pytest.fixture
def desk(shared: Console) -> Console:
    tidy(shared)
    (shared.folder / "sources.opml").unlink(missing_ok=True)
    return shared


def _list(desk: Console, feeds: FeedServer, *paths: str) -> None:
    (desk.folder / "sources.opml").write_text(feeds.opml(*paths))


def _press(browser: Browser, **fields: str) -> Answer:
    return browser.post("/draft", FORM | fields)


def test_a_draft_is_made_and_reported(desk: Console, editor: Browser, feeds: FeedServer) -> None:
    feeds.paths |= {"/wire": answer(write_rss("A <b>ship</b>")), "/down": answer(b"", 500)}
    _list(desk, feeds, "/wire", "/down")
    assert 'href="/draft"' in editor.get("/issues").text
    assert "2 sources" in editor.get("/draft").text
    assert _press(editor).status == 303
    page = editor.get("/draft").text
    assert '<a href="/issues/2026-01-06/edit">Prune 2026-01-06</a>' in page
    assert "It answered 500." in page
    text = (desk.folder / "issues" / "2026-01-06.md").read_text()
    assert "status: draft" in text
    assert "## [A ship](https://wire.example/0/" in text
    assert desk.done()[0] == ("editor@daily.example", "issue drafted from sources", "2026-01-06")
    assert editor.get("/issues/2026-01-06/edit").status == 200
    # A second editor sees the report, and the first draft is never written over.
    assert "Prune 2026-01-06" in desk.enter("owner").get("/draft").text
    again = _press(editor)
    assert again.status == 422
    assert "There is an issue of 2026-01-06 already." in again.text


def test_viewers_may_not(desk: Console) -> None:
    viewer = desk.enter("viewer")
    assert viewer.get("/draft").status == 403
    assert 'href="/draft"' not in viewer.get("/issues").text


def test_there_is_one_at_a_time(desk: Console, editor: Browser, feeds: FeedServer) -> None:
    go_on = Event()

    def wait(handler: object) -> None:
        go_on.wait(10)
        answer(write_rss("A ship"))(handler)  # type: ignore[arg-type]

    feeds.paths["/slow"] = wait
    _list(desk, feeds, "/slow")
    assert _press(editor).status == 303
    page = editor.get("/draft").text
    assert "Reading sources" in page
    assert 'http-equiv="refresh"' in page
    busy = _press(editor, date="2026-01-07")
    assert busy.status == 422
    assert "Another draft is being made." in busy.text
    go_on.set()
    while "Reading sources" in editor.get("/draft").text:
        pass
    assert "Prune 2026-01-06" in editor.get("/draft").text
    assert not (desk.folder / "issues" / "2026-01-07.md").exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("date", "someday", "Choose a day"),
        ("date", "2026-01-05", "There is an issue of 2026-01-05 already."),
        ("since", "soon", "Write a duration such as 90s, 10m, 6h or 2d."),
        ("most", "-1", "Write a number up to 1,000"),
        ("most", "1001", "Write a number up to 1,000"),
        ("most", "²", "Write a number up to 1,000"),
    ],
)
def test_what_cannot_be_meant(
    desk: Console, editor: Browser, feeds: FeedServer, field: str, value: str, said: str
) -> None:
    feeds.paths["/wire"] = answer(write_rss("A ship"))
    _list(desk, feeds, "/wire")
    found = _press(editor, **{field: value})
    assert found.status == 422
    assert said in found.text
    assert feeds.asked == []


def test_where_there_is_no_list(desk: Console, editor: Browser) -> None:
    page = editor.get("/draft").text
    assert "There is nothing to read yet." in page
    assert "<form class" not in page
    _press(editor)
    assert "No draft was made:" in editor.get("/draft").text


def test_where_nothing_is_new(desk: Console, editor: Browser, feeds: FeedServer) -> None:
    feeds.paths["/wire"] = answer(write_rss())
    _list(desk, feeds, "/wire")
    _press(editor)
    assert "Nothing is new" in editor.get("/draft").text
    feeds.paths["/wire"] = answer(b"", 404)
    _press(editor)
    assert "No source could be read," in editor.get("/draft").text
