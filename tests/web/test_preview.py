"""`publisher preview` over its port: its pages, the views, what a save does, and who is refused."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from publisher.errors import PublisherError
from publisher.web.preview import building
from publisher.web.preview.answers import Answer, Failed
from publisher.web.preview.serve import open_port
from tests.web.running_preview import (
    DRAFT,
    FUTURE,
    OLDER,
    SETTINGS,
    Preview,
    make_publication,
    run_preview,
    wait_until,
)

SITE = "https://quay.example/news"
DATA = '<script type="application/ld+json">'


@pytest.fixture(scope="module")
def quay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """A preview that nobody changes."""
    folder = make_publication(tmp_path_factory.mktemp("quay"))
    (folder / "secret.txt").write_text("SECRET")
    (folder / "media" / "unused.txt").write_text("SECRET")
    with run_preview(folder) as preview:
        yield preview


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Preview]:
    """A preview to work with."""
    with run_preview(make_publication(tmp_path)) as preview:
        yield preview


class TestPages:
    def test_the_home_lists_issues_newest_first_and_marks_them(self, quay: Preview) -> None:
        rows = re.findall(r"<li>\n<a href=.*?</li>", quay.get("/").text, re.DOTALL)
        assert [re.findall(r'/-/issue/([\w-]+)/wide"', row) for row in rows] == [
            ["future"],
            ["draft"],
            ["older"],
        ]
        marks = [re.findall(r'class="mark[^>]*>([^<]*)<', row) for row in rows]
        assert marks == [["Future"], ["Draft", "1 warning"], []]
        assert "Ropes &amp; &lt;knots&gt;" in rows[2]

    def test_the_home_names_each_problem_with_its_place_and_remedy(self, quay: Preview) -> None:
        words = quay.get("/").words
        assert "Warning: email.from is not set Set it: from =" in words.replace(
            " set it", " Set it"
        )
        assert "publisher.toml from-missing" in words
        assert "issues/draft.md , line 10 url-relative" in words

    def test_our_own_pages_run_our_own_script_only(self, quay: Preview) -> None:
        for path in ("/", "/-/issue/draft/wide", "/nothing"):
            answer = quay.get(path)
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
            assert "frame-src 'self'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert re.findall(r"<script[^>]*>(.*?)</script>", answer.text) == [""]
            assert " style=" not in answer.text

    def test_an_issue_without_a_view_leads_to_the_first(self, quay: Preview) -> None:
        answer = quay.get("/-/issue/draft")
        assert (answer.status, answer.headers["location"]) == (302, "/-/issue/draft/wide")

    @pytest.mark.parametrize("path", ["/-/issue/nobody/wide", "/-/issue/draft/sideways", "/-/x"])
    def test_what_is_not_there_is_said(self, quay: Preview, path: str) -> None:
        answer = quay.get(path)
        assert (answer.status, "Not here" in answer.words) == (404, True)


VIEWS = ("wide", "phone", "dark", "images-off", "text", "page", "feeds")


class TestViews:
    @pytest.mark.parametrize("view", VIEWS)
    def test_each_stands_in_a_sandbox_without_scripts(self, quay: Preview, view: str) -> None:
        page = quay.get(f"/-/issue/draft/{view}").text
        frame = re.search(r"<iframe [^>]*>", page)
        assert frame
        assert f'src="/-/frame/draft/{view}"' in frame[0]
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame[0]
        document = quay.get(f"/-/frame/draft/{view}")
        policy = document.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "script-src" not in policy
        assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
        # What stands there for search engines is data, which no browser runs.
        assert set(re.findall(r"<script[^>]*>", document.text)) <= {DATA}
        assert "The boat that came back" in document.words

    def test_no_image_is_loaded_where_they_are_off(self, quay: Preview) -> None:
        off = quay.get("/-/frame/draft/images-off")
        assert "img-src 'none'" in off.headers["content-security-policy"]
        assert 'alt="A boat at its old mooring"' in off.text
        on = quay.get("/-/frame/draft/wide")
        assert f"img-src http://127.0.0.1:{quay.port} " in on.headers["content-security-policy"]

    def test_dark_and_light_do_not_depend_on_the_system(self, quay: Preview) -> None:
        for view in ("dark", "wide", "phone", "images-off"):
            assert "prefers-color-scheme" not in quay.get(f"/-/frame/draft/{view}").text
        assert 'content="dark"' in quay.get("/-/frame/draft/dark").text
        assert 'content="light"' in quay.get("/-/frame/draft/wide").text

    def test_the_publications_urls_lead_here_but_its_words_stay(self, quay: Preview) -> None:
        for path in ("/-/frame/draft/wide", "/-/frame/draft/page", "/issues/draft/"):
            text = quay.get(path).text
            assert not re.search(rf"""(href|src)=["']?{re.escape(SITE)}""", text)
            assert 'src="/media/boat.png"' in text
            assert f">{SITE}/</a>" in text  # what the editor wrote stays as readers see it
        assert quay.get("/media/boat.png").headers["content-type"] == "image/png"

    def test_links_in_a_frame_open_elsewhere_but_anchors_stay(self, quay: Preview) -> None:
        text = quay.get("/-/frame/draft/wide").text
        assert re.search(r'<a target="_blank"[^>]* href="https://source\.example/boat"', text)
        assert re.search(r'<a class="plain"[^>]* href="#boat"', text)
        page = quay.get("/-/frame/draft/page").text
        assert '<a target="_blank" href="/issues/older/#rope"' in page

    def test_text_is_shown_to_the_letter(self, quay: Preview) -> None:
        shown = quay.get("/-/frame/older/text").text
        written = (quay.folder / ".publisher/preview/issues/older/email.txt").read_text("utf-8")
        escaped = written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert f"<pre>{escaped}</pre>" in shown

    def test_feed_entries_are_shown_as_readers_see_them(self, quay: Preview) -> None:
        words = quay.get("/-/frame/future/feeds").words
        assert "Highlights 1 in feed.atom A ferry of tomorrow" in words
        assert "Published 2099-01-01T07:00:01+01:00" in words
        assert "id tag:quay.example,2025:news/ferry" in words
        assert "It has not been built." in words
        assert "Issues 1 in issues.atom What comes" in words

    def test_entries_that_left_the_feed_are_shown_from_its_archive(self, quay: Preview) -> None:
        words = quay.get("/-/frame/older/feeds").words
        assert "1 in archive/2025-11/feed.atom A rope of hair" in words
        assert "Source https://source.example/rope Tags craft" in words

    def test_the_subject_and_the_size_are_told(self, quay: Preview) -> None:
        words = quay.get("/-/issue/older/wide").words
        assert "Subject: Ropes &amp; &lt;knots&gt;" in words
        assert re.search(r"\d+ KB; Gmail shows no more than 102", words)


class TestSite:
    def test_pages_are_served_at_their_own_paths(self, quay: Preview) -> None:
        answer = quay.get("/issues/draft/")
        assert answer.status == 200
        assert answer.text.count('<script src="/-/preview.js"') == 1
        assert quay.get("/issues/draft").headers["location"] == "/issues/draft/"
        home = quay.get("/index.html").text
        assert 'href="/index.html#subscribe"' in home
        assert 'href="/issues/older/"' in home

    @pytest.mark.parametrize("name", ["feed.atom", "feed.rss", "feed.json", "feeds.opml"])
    def test_feeds_are_shown_as_they_are(self, quay: Preview, name: str) -> None:
        answer = quay.get(f"/{name}")
        assert answer.body == (quay.folder / ".publisher/preview" / name).read_bytes()
        assert SITE.encode() in answer.body
        kind = "application/json" if name.endswith("json") else "application/xml"
        assert answer.headers["content-type"].partition(";")[0] == kind

    def test_nothing_is_published_by_looking(self, quay: Preview) -> None:
        assert not (quay.folder / "public").exists()
        assert not (quay.folder / "issues" / "register.jsonl").exists()


class TestStrangers:
    @pytest.mark.parametrize(
        "path",
        [
            "/secret.txt",
            "/../secret.txt",
            "/../../secret.txt",
            "/%2e%2e/%2e%2e/secret.txt",
            "/%2E%2E%2F%2E%2E%2Fsecret.txt",
            "/..%2f..%2fsecret.txt",
            "/..%5c..%5csecret.txt",
            "/..\\..\\secret.txt",
            "/issues/../../../secret.txt",
            "/media/../../../secret.txt",
            "/media/%2e%2e/../..//secret.txt",
            "/.publisher/preview/index.html",
            "//secret.txt",
            "/media/unused.txt",
            "/media/leak.txt",
            "/issues/draft.md",
            "/publisher.toml",
            "/%00/../../secret.txt",
            "/%ff%fe",
            "/%ed%a0%80",
            "/-/frame/..%2f..%2f..%2f..%2fsecret.txt%00/text",
            "/-/frame/../wide",
            "/-/..%2f..%2fpublisher.toml",
            "/-/preview.css/../../../publisher.toml",
            "file:///etc/passwd",
            "/etc/passwd",
        ],
    )
    def test_only_what_the_build_wrote_can_be_had(self, quay: Preview, path: str) -> None:
        answer = quay.get(path)
        assert answer.status in (400, 404)
        assert b"SECRET" not in answer.body
        assert b"root:" not in answer.body
        assert b"[publication]" not in answer.body

    def test_a_link_put_into_the_output_is_not_followed(self, quay: Preview) -> None:
        written = quay.folder / ".publisher/preview/robots.txt"
        kept = written.read_bytes()
        written.unlink()
        written.symlink_to(quay.folder / "secret.txt")
        try:
            assert quay.get("/robots.txt").status == 404
        finally:
            written.unlink()
            written.write_bytes(kept)
        assert quay.get("/robots.txt").body == kept

    @pytest.mark.parametrize(
        "host",
        [
            "",
            "quay.example",
            "quay.example:8800",
            "127.0.0.1.quay.example",
            "localhost.quay.example:80",
            "127.0.0.2",
            "localhost@quay.example",
            "localhost:8800.quay.example",
            "[::1]",
        ],
    )
    @pytest.mark.parametrize("path", ["/", "/feed.atom", "/-/events", "/-/preview.js", "/nothing"])
    def test_only_this_machines_names_are_answered(
        self, quay: Preview, host: str, path: str
    ) -> None:
        answer = quay.get(path, {"Host": host})
        assert answer.status in (400, 421)
        assert b"Quay" not in answer.body

    @pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1"])
    def test_this_machines_names_are_answered(self, quay: Preview, host: str) -> None:
        answer = quay.get("/-/frame/draft/wide", {"Host": host})
        assert answer.status == 200
        assert f"style-src http://{host} " in answer.headers["content-security-policy"]

    def test_it_listens_on_loopback_only(self, quay: Preview) -> None:
        listening = Path("/proc/net/tcp")
        if not listening.exists():
            pytest.skip("this system has no /proc/net/tcp")
        here = f":{quay.port:04X} "
        addresses = {line.split()[1] for line in listening.read_text().splitlines() if here in line}
        assert f"0100007F{here.strip()}" in addresses
        assert f"00000000{here.strip()}" not in addresses

    def test_nothing_can_be_sent_to_it(self, quay: Preview) -> None:
        import urllib.error
        import urllib.request

        request = urllib.request.Request(quay.url + "subscribe", data=b"email=a@b.example")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 405


class TestSaving:
    def test_a_save_is_told_and_shown(self, desk: Preview) -> None:
        with desk.listen() as heard:
            first = heard(5)
            desk.save("issues/draft.md", DRAFT.replace("It left in 1987", "It left in 1988"))
            second = heard(10)
            assert second not in (None, first)
            assert "It left in 1988" in desk.get("/-/frame/draft/wide").words
            assert "It left in 1988" in desk.get("/-/frame/draft/text").words
            assert "It left in 1988" in desk.get("/issues/draft/").words
            assert f'data-version="{second}"' in desk.get("/-/issue/draft/wide").text

    def test_a_version_is_told_at_once_to_who_comes_late(self, desk: Preview) -> None:
        with desk.listen() as heard:
            version = heard(5)
        assert f'data-version="{version}"' in desk.get("/").text

    def test_what_editors_leave_beside_an_issue_is_no_news(self, desk: Preview) -> None:
        with desk.listen() as heard:
            heard(5)
            for name in (".draft.md.swp", "4913", "draft.md~", "notes.txt"):
                (desk.folder / "issues" / name).write_text("words")
            assert heard(1.5) is None

    def test_images_templates_and_settings_are_watched_too(self, desk: Preview) -> None:
        (desk.folder / "media/boat.png").unlink()
        desk.wait_for("/-/issue/draft/wide", "media/boat.png")
        (desk.folder / "templates").mkdir()  # which was not there when the watching began
        time.sleep(0.5)
        desk.save("templates/pages/footer.html", "<footer>Our own footer</footer>")
        desk.wait_for("/issues/draft/", "Our own footer")
        desk.save("publisher.toml", SETTINGS.replace("The Quay", "The Pier"))
        desk.wait_for("/", "The Pier")

    def test_a_folder_of_issues_that_goes_and_comes_back_is_watched(self, desk: Preview) -> None:
        (desk.folder / "issues").rename(desk.folder / "away")
        desk.wait_for("/", "There is none yet")
        (desk.folder / "away").rename(desk.folder / "issues")
        desk.wait_for("/", "What the quay keeps")
        desk.save("issues/draft.md", DRAFT.replace("What the quay keeps", "What it gives"))
        desk.wait_for("/", "What it gives")

    def test_a_new_address_of_the_site_is_followed(self, desk: Preview) -> None:
        desk.save("publisher.toml", SETTINGS.replace(SITE, "https://pier.example"))
        desk.wait_for("/feed.atom", "https://pier.example/feed.atom")
        desk.wait_for("/-/frame/draft/wide", 'src="/media/boat.png"')

    def test_a_drafts_highlight_may_go_again(self, desk: Preview) -> None:
        desk.save("issues/draft.md", DRAFT.partition("## An anchor")[0])
        wait_until(lambda: "An anchor" not in desk.get("/-/frame/draft/wide").words or None)
        assert "published-vanished" not in desk.get("/").words


class TestMistakes:
    def test_an_issue_that_cannot_be_read_is_shown_and_mended(self, desk: Preview) -> None:
        desk.save("issues/draft.md", "---\ntitle: [never closed\n---\n")
        page = desk.wait_for("/-/issue/draft/wide", "front-matter-unreadable")
        assert "there is nothing new to show" in page.words
        assert "<iframe" not in page.text
        assert desk.get("/-/frame/draft/wide").status == 404
        assert "Cannot be read" in desk.get("/").words
        assert "A rope of hair" in desk.get("/-/frame/older/wide").words
        desk.save("issues/draft.md", DRAFT)
        desk.wait_for("/-/frame/draft/wide", "The boat that came back")
        assert "<iframe" in desk.get("/-/issue/draft/wide").text

    def test_errors_of_an_issue_stop_nothing(self, desk: Preview) -> None:
        broken = DRAFT.replace("{#anchor}", "").replace("status: draft", "status: ready")
        desk.save("issues/draft.md", broken.replace("1987.", "1987 [or](javascript:alert(1))."))
        page = desk.wait_for("/-/issue/draft/wide", "id-missing")
        assert re.search(r"Error: .*? Line 12 id-missing", page.words)
        assert re.search(r"Line 10 url-javascript", page.words)
        assert '<details class="panel" id="problems" data-level="error" open>' in page.text
        assert "An anchor for sale" in desk.get("/-/frame/draft/wide").words

    def test_problems_stay_while_other_files_are_saved(self, desk: Preview) -> None:
        desk.save("issues/draft.md", DRAFT.replace("1987", "1987 TODO"))
        desk.wait_for("/", "placeholder-left")
        desk.save("issues/older.md", OLDER.replace("once held", "never held"))
        desk.wait_for("/-/frame/older/wide", "never held")
        assert "placeholder-left" in desk.get("/").words

    def test_broken_settings_are_shown_and_mended(self, desk: Preview) -> None:
        for text, said in (
            (SETTINGS.replace("Europe/Oslo", "Europe/Atlantis"), "publication.time_zone: found"),
            ("[publication", "publisher.toml cannot be read"),
        ):
            desk.save("publisher.toml", text)
            page = desk.wait_for("/", said)
            assert "This cannot be built" in page.words
            assert "What the quay keeps" in page.words
            assert "The boat that came back" in desk.get("/-/frame/draft/wide").words
        (desk.folder / "publisher.toml").unlink()
        desk.wait_for("/-/issue/draft/wide", "publisher init DIR")
        desk.save("publisher.toml", SETTINGS)
        page = desk.wait_for("/", "Built")
        assert "This cannot be built" not in page.words

    def test_a_broken_template_is_shown_and_mended(self, desk: Preview) -> None:
        desk.save("templates/email/message.html", "<p>\n{% if issue %}")
        page = desk.wait_for("/", "template-broken")
        assert "templates/email/message.html, line 2" in page.words
        assert "This part was not made" in desk.get("/-/issue/draft/wide").words
        assert "The boat that came back" in desk.get("/issues/draft/").words
        desk.save("templates/email/message.html", "<title>T</title><p>{{ 1 // 0 }}</p>")
        desk.wait_for("/", "ZeroDivisionError")
        (desk.folder / "templates/email/message.html").unlink()
        desk.wait_for("/-/frame/draft/wide", "The boat that came back")
        wait_until(lambda: "ZeroDivisionError" not in desk.get("/").words or None)

    def test_two_files_of_one_id_are_shown(self, desk: Preview) -> None:
        desk.save("issues/copy.md", FUTURE)
        page = desk.wait_for("/", "id-repeated")
        assert "What comes" in page.words

    def test_a_building_process_that_died_is_replaced(self, desk: Preview) -> None:
        (worker,) = desk.workers()
        os.kill(worker, signal.SIGKILL)
        desk.save("issues/draft.md", DRAFT.replace("1987", "1988"))
        desk.wait_for("/-/frame/draft/wide", "It left in 1988")
        assert desk.workers() != [worker]

    def test_a_building_process_that_keeps_dying_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(building, "_WORKER", (sys.executable, "-c", "raise SystemExit(7)"))
        heard: list[Answer] = []

        async def build_once() -> None:
            preview = building.Building(tmp_path / "publisher.toml", tmp_path, heard.append)
            task = asyncio.create_task(preview.build_at_changes())
            await preview.wait_beyond(preview.shown.version)
            assert "status 7" in preview.shown.failure
            task.cancel()

        # In a thread of its own: a browser of other tests may have a loop in this one.
        with ThreadPoolExecutor() as threads:
            threads.submit(asyncio.run, build_once()).result()
        assert heard == [Failed("the build ended with status 7; saving a file tries it again")]


class TestLeaving:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_it_at_once_and_well(self, desk: Preview, number: int) -> None:
        (worker,) = desk.workers()
        with desk.listen() as heard:
            assert heard(5)
            began = time.monotonic()
            assert desk.stop(number) == 0
            assert time.monotonic() - began < 3
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
        said = (desk.folder / "said").read_text()
        assert said.startswith(f"Preview: {desk.url} (Ctrl-C stops it)\n")
        assert "Traceback" not in said
        assert "Error" not in said

    def test_the_building_process_does_not_outlive_it(self, desk: Preview) -> None:
        (worker,) = desk.workers()
        desk.stop(signal.SIGKILL)
        end = time.monotonic() + 10
        while Path(f"/proc/{worker}").exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert not Path(f"/proc/{worker}").exists()


class TestStarting:
    def test_the_next_free_port_is_taken(self) -> None:
        with open_port(0, is_fixed=False) as first:
            port = first.getsockname()[1]
            with open_port(port, is_fixed=False) as second:
                assert second.getsockname()[0] == "127.0.0.1"
                assert port < second.getsockname()[1] <= port + 50

    def test_a_port_that_was_asked_for_is_taken_or_refused(self) -> None:
        with open_port(0, is_fixed=True) as first:
            port = first.getsockname()[1]
            with pytest.raises(PublisherError, match=f"port {port} cannot be used: Address"):
                open_port(port, is_fixed=True)

    def test_settings_that_are_wrong_from_the_start_stop_it(self, tmp_path: Path) -> None:
        done = _publisher(tmp_path, "preview", "--no-open")
        assert (done.returncode, done.stdout) == (2, "")
        assert "publisher init DIR" in done.stderr

    def test_settings_may_be_named(self, tmp_path: Path) -> None:
        folder = make_publication(tmp_path / "quay")
        (folder / "publisher.toml").rename(folder / "quay.toml")
        with run_preview(tmp_path, "--port", "0", "--config", "quay/quay.toml") as preview:
            assert "The boat that came back" in preview.get("/-/frame/draft/wide").words
            (folder / "quay.toml").write_text(SETTINGS.replace("The Quay", "The Pier"))
            preview.wait_for("/", "The Pier")

    def test_no_other_command_imports_the_web(self, tmp_path: Path) -> None:
        folder = make_publication(tmp_path)
        program = (
            "import sys; from publisher.cli import COMMANDS, load\n"
            "for name in COMMANDS: load(name)\n"
            "from publisher.cli.run import run; run(['build']); run(['check'])\n"
            "print([m for m in ('litestar', 'uvicorn', 'watchfiles') if m in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]"


def _publisher(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    program = "from publisher.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
