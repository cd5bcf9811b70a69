"""Old addresses: a former system's feeds in place, redirects, and pages that moved."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from publisher.errors import SettingsError
from tests.web.public.site import Site, make_settings, run_site
from tests.web.public.test_files import OUTSIDE

ALIASES = {
    "/rss.xml": "feed.rss",
    "/?feed=rss2": "feed.rss",
    "/?feed=atom&cat=film": "tags/film/feed.atom",
    "/feed/": "/feed.rss",
    "/电影/rss": "tags/film/feed.atom",
}
REDIRECTS = {
    "/old/path": "/issues/2025-12-15/",
    "/2025/12/15/": "/issues/2025-12-15/",
    "/?p=12": "/issues/2025-12-15/",
    "/shop": "https://shop.example/a?b=c",
    "/feed.json": "https://elsewhere.example/",
    "/kino": "/tags/电影/",
    "/.well-known/webfinger": "https://social.example/.well-known/webfinger",
}
HUB = "https://hub.example/"


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("moved")
    (folder / "publisher.toml").write_text("SECRET")
    feeds = {"aliases": ALIASES, "hub": HUB}
    with run_site(folder, feeds=feeds, web={"redirects": REDIRECTS}) as site:
        site.write("index.html")
        site.write("feed.rss", b"<rss/>" * 100)
        site.write("feed.json", b"{}")
        site.write("tags/film/feed.atom", b"<feed/>")
        site.write("issues/2025-12-15/index.html", b"issue")
        yield site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests here, each of which writes what it asks for."""
    with run_site(tmp_path_factory.mktemp("site")) as site:
        yield site


class TestAliases:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("/rss.xml", "/feed.rss"),
            ("/rss.xml?utm_source=x", "/feed.rss"),
            ("/rss%2Exml", "/feed.rss"),
            ("/?feed=rss2", "/feed.rss"),
            ("/?paged=1&feed=rss2", "/feed.rss"),
            ("/?feed=atom&cat=film", "/tags/film/feed.atom"),
            ("/feed", "/feed.rss"),
            ("/feed/", "/feed.rss"),
            ("/%E7%94%B5%E5%BD%B1/rss", "/tags/film/feed.atom"),
        ],
    )
    def test_an_old_feed_is_served_in_place(self, old: str, new: str, moved: Site) -> None:
        for headers in ({}, {"Accept-Encoding": "br"}, {"If-None-Match": "*"}):
            for method in ("GET", "HEAD"):
                answers = [moved.ask(method, path, headers=headers) for path in (old, new)]
                for answer in answers:
                    answer.headers.pop("date")
                assert answers[0] == answers[1]
        assert f'<https://daily.example{new}>; rel="self"' in answers[0].headers["link"]

    def test_another_query_is_the_page(self, moved: Site) -> None:
        for query in ("?feed=atom", "?feed=rss", "?", "?feed", "?" + "a=b&" * 200 + "feed=rss2"):
            assert moved.get(f"/{query}").headers["content-type"].startswith("text/html")

    def test_what_an_alias_means_may_not_be_there(self, tmp_path: Path) -> None:
        with run_site(tmp_path, feeds={"aliases": {"/rss.xml": "feed.rss"}}) as site:
            assert site.get("/rss.xml").status == 404

    @pytest.mark.parametrize("path", OUTSIDE)
    def test_nothing_outside_is_served(self, path: str, moved: Site) -> None:
        for tail in ("", "?feed=rss2&x=../publisher.toml"):
            answer = moved.get(f"{path}{tail}", accept_encoding="br, gzip")
            assert b"SECRET" not in answer.body
            assert answer.status == 404


class TestRedirects:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("/old/path", "/issues/2025-12-15/"),
            ("/old/path/", "/issues/2025-12-15/"),
            ("/2025/12/15", "/issues/2025-12-15/"),
            ("/?p=12", "/issues/2025-12-15/"),
            ("/kino", "/tags/%E7%94%B5%E5%BD%B1/"),
        ],
    )
    def test_what_moved_within_the_site(self, old: str, new: str, moved: Site) -> None:
        for method in ("GET", "HEAD"):
            answer = moved.ask(method, old)
            assert (answer.status, answer.body) == (301, b"")
            assert "://" not in answer.headers["location"]
            # Below a proxy's path too.
            for base in ("https://daily.example", "https://other.example/news"):
                assert urljoin(f"{base}{old}", answer.headers["location"]) == f"{base}{new}"

    def test_what_moved_elsewhere(self, moved: Site) -> None:
        answer = moved.get("/shop?next=https://evil.example")
        assert (answer.status, answer.headers["location"]) == (301, "https://shop.example/a?b=c")

    def test_an_old_path_may_begin_with_a_dot(self, moved: Site) -> None:
        answer = moved.get("/.well-known/webfinger?resource=acct:a@b.example")
        assert answer.status == 301
        assert answer.headers["location"] == REDIRECTS["/.well-known/webfinger"]
        assert moved.get("/.well-known/host-meta").status == 404

    def test_a_file_of_the_site_goes_before_a_path(self, moved: Site) -> None:
        assert moved.get("/feed.json").status == 200

    @pytest.mark.parametrize(
        "path", ["//evil.example", "///evil.example/", "/\\evil.example", "/old/path//evil.example"]
    )
    def test_nobody_is_sent_where_a_request_says(self, path: str, moved: Site) -> None:
        answer = moved.get(path)
        assert answer.status == 404
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("feeds", "web", "key"),
    [
        ({"rss.xml": "feed.rss"}, {}, "feeds.aliases"),
        ({"//rss.xml": "feed.rss"}, {}, "feeds.aliases"),
        ({"/a b": "feed.rss"}, {}, "feeds.aliases"),
        ({"/rss.xml": "index.html"}, {}, "feeds.aliases./rss.xml"),
        ({"/rss.xml": "../feed.rss"}, {}, "feeds.aliases./rss.xml"),
        ({"/rss.xml": "https://x.example/feed.rss"}, {}, "feeds.aliases./rss.xml"),
        ({}, {"old": "/new"}, "web.redirects"),
        ({}, {"/a/../b": "/new"}, "web.redirects"),
        ({}, {"/old": "new"}, "web.redirects./old"),
        ({}, {"/old": "//evil.example"}, "web.redirects./old"),
        ({}, {"/old": "/\\evil.example"}, "web.redirects./old"),
        ({}, {"/old": "javascript:alert(1)"}, "web.redirects./old"),
        ({}, {"/old": "ftp://x.example/"}, "web.redirects./old"),
        ({}, {"/old": "/a\r\nSet-Cookie: b"}, "web.redirects./old"),
        ({}, {"/old": "https://"}, "web.redirects./old"),
        ({}, {"/old": "/old"}, "web.redirects./old"),
        ({}, {"/old": "/old/"}, "web.redirects./old"),
        ({}, {"/a//b": "/new"}, "web.redirects"),
        ({}, {"/a%2Fb": "/new"}, "web.redirects"),
        ({}, {"/caf%E9": "/new"}, "web.redirects"),
        ({"/old": "feed.rss"}, {"/old": "/new"}, "web.redirects"),
    ],
)
def test_what_cannot_be_meant_is_said(feeds: dict[str, str], web: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError) as raised:
        make_settings(feeds={"aliases": feeds}, web={"redirects": web})
    assert str(raised.value).startswith(f"publisher.toml: {key}: found ")
    assert "expected" in str(raised.value)


PAGE = (
    '<!doctype html><html><head><link rel="canonical" href="{url}"></head>\n'
    '<body class="moved-page"><p>It moved.</p></body></html>\n'
)


class TestMoved:
    @pytest.mark.parametrize(
        ("url", "location"),
        [
            ("https://daily.example/issues/new/", "../../issues/new/"),
            ("https://daily.example/highlights/a/", "../../highlights/a/"),
        ],
    )
    def test_a_page_that_moved_sends_on(self, url: str, location: str, site: Site) -> None:
        site.write("issues/old/index.html", PAGE.format(url=url).encode())
        site.write("issues/new/index.html", b"new")
        for headers in ({}, {"Accept-Encoding": "br"}, {"If-None-Match": "*"}):
            for method in ("GET", "HEAD"):
                answer = site.ask(method, "/issues/old/", headers=headers)
                assert (answer.status, answer.headers["location"]) == (301, location)
                assert answer.body == b""
        assert site.get("/issues/old").headers["location"] == "./old/"

    def test_its_message_on_the_web_does_too(self, site: Site) -> None:
        """Messages that were sent lead there, and to their plain text."""
        base = "https://daily.example/issues/new/"
        site.write("issues/old/index.html", PAGE.format(url=base).encode())
        site.write("issues/old/email.html", PAGE.format(url=f"{base}email.html").encode())
        for name, location in (("email.html", "new/email.html"), ("email.txt", "new/")):
            answer = site.get(f"/issues/old/{name}")
            assert (answer.status, answer.headers["location"]) == (301, f"../../issues/{location}")

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/",
            "https://daily.example.evil.example/",
            "https://daily.example//evil.example/",
            "https://daily.example/\\evil.example/",
            "https://daily.example/../x",
            "https://daily.example/issues/old/",
            "https://daily.example/issues/old/?x",
            "https://daily.example/issues/old/#x",
            "https://daily.example/&#13;&#10;X: y",
            "javascript:alert(1)",
            "",
        ],
    )
    def test_it_sends_nowhere_else(self, url: str, site: Site) -> None:
        site.write("issues/old/index.html", PAGE.format(url=url).encode())
        answer = site.get("/issues/old/")
        assert (answer.status, "location" in answer.headers) == (200, False)

    def test_words_in_an_issue_move_nothing(self, site: Site) -> None:
        text = '<body class="issue-page">' + PAGE.replace("<", "&lt;")
        site.write("issues/a/index.html", text.encode())
        site.write("about/index.html", PAGE.format(url="https://daily.example/x").encode())
        assert site.get("/issues/a/").status == 200
        assert site.get("/about/").status == 200


class TestLinks:
    @pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}, {"Accept-Encoding": "gzip"}])
    def test_feeds_name_themselves_and_their_hub(
        self, headers: dict[str, str], moved: Site
    ) -> None:
        for path in ("feed.rss", "tags/film/feed.atom", "feed.json"):
            for method in ("GET", "HEAD"):
                assert moved.ask(method, f"/{path}", headers=headers).headers["link"] == (
                    f'<https://daily.example/{path}>; rel="self", <{HUB}>; rel="hub"'
                )
        assert "link" not in moved.get("/").headers

    def test_without_a_hub_themselves_alone(self, site: Site) -> None:
        site.write("feed.atom")
        link = site.get("/feed.atom").headers["link"]
        assert link == '<https://daily.example/feed.atom>; rel="self"'
