"""The files of public/ over HTTP: what they are, what a cache is told, and that it is no more."""

import http.client
import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from publisher.settings import load_settings
from publisher.site.build import build
from publisher.site.job import Job
from publisher.site.withdraw import withdraw
from publisher.web.public.answers import BARE_POLICY
from tests.web.public.site import HOME, Site, run_site
from tests.web.running_preview import make_publication

# Spellings of paths that lead out of public/, or to what is hidden in it.
OUTSIDE = (
    "/../publisher.toml",
    "/..%2fpublisher.toml",
    "/..%2Fpublisher.toml",
    "/%2e%2e/publisher.toml",
    "/%2E%2E%2Fpublisher.toml",
    "/.%2e/publisher.toml",
    "/%252e%252e/publisher.toml",
    "/%252e%252e%252fpublisher.toml",
    "/..%5cpublisher.toml",
    "/..\\publisher.toml",
    "/..;/publisher.toml",
    "/issues/../../publisher.toml",
    "/issues/2025-12-15/../../../publisher.toml",
    "/issues/%2e%2e/%2e%2e/publisher.toml",
    "/./../publisher.toml",
    "//../publisher.toml",
    "/issues/..",
    "/..",
    "/../",
    "/../public-not/",
    "/../public-not",
    "/%c0%ae%c0%ae/publisher.toml",
    "/%u002e%u002e/publisher.toml",
    "/..%00/publisher.toml",
    "/publisher.toml%00.html",
    "/../publisher.toml%00.html",
    "/..%ef%bc%8fpublisher.toml",
    "/%ff/../publisher.toml",
    "/file:///etc/passwd",
    "http://127.0.0.1/../publisher.toml",
    "/media/out/publisher.toml",
    "/media/out",
    "/media/out/",
    "/media/out.txt",
    "/.secret",
    "/%2esecret",
    "/.well/",
    "/.well",
    "/media/.hidden/a.txt",
    "/media/%2ehidden/a.txt",
    "/index.html/",
    "/index.html/index.html",
    "//index.html",
    "/issues//2025-12-15/",
    "/issues/2025-12-15/./",
    "/" + "a" * 300,
    "/" + "a/" * 2000,
    "/preferences/token",
)


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside_is_served_in_any_spelling(path: str, shown: Site) -> None:
    for method in ("GET", "HEAD"):
        answer = shown.ask(method, path)
        assert answer.status == 404
        assert b"SECRET" not in answer.body


def test_every_place_of_a_dot_and_a_slash_is_tried(shown: Site) -> None:
    """All spellings of `../` and `..` by encoded parts, before and within a path."""
    dots = ("..", ".%2e", "%2e.", "%2e%2e", "%252e%252e")
    slashes = ("/", "%2f", "%5c", "\\", "//", "/./")
    for dot in dots:
        for slash in slashes:
            for before in ("/", "/issues/", "/media/", "//"):
                for times in (1, 2, 3):
                    answer = shown.get(f"{before}{(dot + slash) * times}publisher.toml")
                    assert answer.status == 404
                    assert b"SECRET" not in answer.body


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("feed.atom", "application/atom+xml; charset=utf-8"),
        ("issues.rss", "application/rss+xml; charset=utf-8"),
        ("feed.json", "application/feed+json"),
        ("tags/film/feed.json", "application/feed+json"),
        ("issues.json", "application/feed+json"),
        ("other.json", "application/json"),
        ("feeds.opml", "text/x-opml; charset=utf-8"),
        ("sitemap.xml", "application/xml; charset=utf-8"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("assets/site-1.css", "text/css; charset=utf-8"),
        ("media/a.JPG", "image/jpeg"),
        ("media/a.png", "image/png"),
        ("media/a.webp", "image/webp"),
        ("media/a.avif", "image/avif"),
        ("media/a.pdf", "application/pdf"),
        ("CNAME", "application/octet-stream"),
        ("media/a.weird", "application/octet-stream"),
    ],
)
def test_types(path: str, media_type: str, site: Site) -> None:
    site.write(path, b"data")
    answer = site.get(f"/{path}")
    assert (answer.status, answer.body) == (200, b"data")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_folder_is_its_index(shown: Site) -> None:
    assert shown.get("/").body == HOME
    assert shown.get("/index.html").body == HOME
    assert shown.get("/issues/2025-12-15/").text == "<title>Issue</title>"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/issues/2025-12-15", "./2025-12-15/"),
        ("/issues/2025%2D12-15", "./2025%2D12-15/"),
        ("/issues/a:b", "./a:b/"),
    ],
)
def test_a_folder_without_its_slash_is_sent_on(path: str, location: str, shown: Site) -> None:
    answer = shown.get(path)
    assert (answer.status, answer.headers["location"]) == (301, location)


def test_a_folder_without_an_index_is_not_there(shown: Site) -> None:
    assert shown.get("/issues/").status == 404
    assert shown.get("/issues").status == 404


def test_a_slash_has_one_spelling(shown: Site) -> None:
    for path in ("/issues%2F2025-12-15/", "/issues/2025-12-15%2f", "/issues%5C2025-12-15/"):
        assert shown.get(path).status == 404


def test_a_name_with_other_letters(shown: Site) -> None:
    answer = shown.get("/media/%E7%94%B5%E5%BD%B1%2050%25.png")
    assert (answer.status, answer.body) == (200, b"png")


def test_head_says_what_get_would(shown: Site) -> None:
    for path in ("/", "/issues/2025-12-15", "/nothing", "/confirm/no", "/healthz"):
        get, head = shown.get(path), shown.ask("HEAD", path)
        assert head.body == b""
        assert (head.status, _without_date(head.headers)) == (
            get.status,
            _without_date(get.headers),
        )


def _without_date(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "date"}


class TestCaches:
    def test_an_unchanged_file_is_not_sent_again(self, shown: Site) -> None:
        tag = shown.get("/").headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = shown.get("/", if_none_match=known)
            assert (answer.status, answer.body) == (304, b"")
            assert answer.headers["etag"] == tag
            assert answer.headers["cache-control"] == "no-cache"
        assert shown.get("/", if_none_match='"other"').status == 200

    def test_a_changed_file_is_sent_again(self, site: Site) -> None:
        site.write("index.html", b"one")
        before = site.get("/")
        aside = site.write("new.html", b"two")
        aside.replace(site.public / "index.html")
        after = site.get("/", if_none_match=before.headers["etag"])
        assert (after.status, after.body) == (200, b"two")

    def test_a_date_is_good_enough_for_who_has_no_tag(self, shown: Site) -> None:
        modified = shown.get("/").headers["last-modified"]
        assert shown.get("/", if_modified_since=modified).status == 304
        early = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
        assert shown.get("/", if_modified_since=early).status == 200
        for nonsense in ("yesterday", "Thu, 32 Foo 2026 00:00:00 GMT", "-1"):
            assert shown.get("/", if_modified_since=nonsense).status == 200
        # RFC 9110, section 13.1.3: a tag that differs goes before a date that does not.
        both = shown.get("/", if_none_match='"other"', if_modified_since=modified)
        assert both.status == 200

    def test_the_stylesheet_is_kept_for_good(self, site: Site) -> None:
        site.write("assets/site-0123456789.css", b"p{}")
        kept = site.get("/assets/site-0123456789.css").headers["cache-control"]
        assert kept == "public, max-age=31536000, immutable"


def test_a_large_file_comes_whole(site: Site) -> None:
    data = os.urandom(3_000_000)
    site.write("media/large.pdf", data)
    answer = site.get("/media/large.pdf")
    assert answer.body == data
    assert answer.headers["content-length"] == str(len(data))
    head = site.ask("HEAD", "/media/large.pdf")
    assert (head.body, head.headers["content-length"]) == (b"", str(len(data)))


def test_a_large_file_is_replaced_while_somebody_reads_it(site: Site) -> None:
    data = os.urandom(8_000_000)
    path = site.write("media/large.pdf", data)
    connection = http.client.HTTPConnection("127.0.0.1", site.port)
    connection.request("GET", "/media/large.pdf")
    response = connection.getresponse()
    begin = response.read(1000)
    site.write("media/new", b"new").replace(path)
    assert begin + response.read() == data
    connection.close()


class TestPolicies:
    def test_a_page_runs_nothing_and_sends_its_forms_to_us(self, tmp_path: Path) -> None:
        with run_site(tmp_path, web={"url": "https://forms.daily.example/x"}) as site:
            site.write("index.html")
            policy = site.get("/").headers["content-security-policy"]
        assert policy == (
            "default-src 'none'; style-src 'self' https://daily.example; "
            "font-src 'self' https://daily.example; img-src 'self' http: https:; "
            "media-src 'self' https://daily.example; base-uri 'none'; "
            "form-action 'self' https://forms.daily.example; frame-ancestors 'none'"
        )

    def test_nothing_is_without_a_policy(self, shown: Site) -> None:
        link = shown.link("unsubscribe", "anna@daily.example")
        for method, path in (
            *(("GET", path) for path in ("/", "/nothing", "/issues/2025-12-15", "/healthz")),
            *(("GET", path) for path in ("/issues/2025-12-15/email.html", "/media/out", link)),
            *(("POST", "/"), ("OPTIONS", "/"), ("GET", "/subscribe"), ("POST", "/subscribe")),
        ):
            headers = shown.ask(method, path).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; ")
            assert "frame-ancestors 'none'" in policy
            assert "script-src" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"]
            assert "set-cookie" not in headers
            assert "server" not in headers

    def test_only_the_message_has_styles_of_its_own(self, shown: Site) -> None:
        message = shown.get("/issues/2025-12-15/email.html").headers["content-security-policy"]
        assert "style-src 'unsafe-inline'" in message
        assert "form-action 'none'" in message
        page = shown.get("/issues/2025-12-15/").headers["content-security-policy"]
        assert "unsafe" not in page

    def test_the_bare_policy_forbids_everything(self) -> None:
        assert BARE_POLICY.startswith("default-src 'none'; ")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("PUT", "/index.html", "GET, HEAD, OPTIONS"),
        ("DELETE", "/issues/2025-12-15/", "GET, HEAD, OPTIONS"),
        ("FOO", "/", "GET, HEAD, OPTIONS"),
        ("TRACE", "/", "GET, HEAD, OPTIONS"),
        ("GET", "/subscribe", "OPTIONS, POST"),
        ("HEAD", "/subscribe", "OPTIONS, POST"),
        ("PUT", "/unsubscribe/a", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/confirm/a", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_refused_by_name(
    method: str, path: str, allowed: str, shown: Site
) -> None:
    answer = shown.ask(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)


def test_any_host_is_served_without_being_sent_elsewhere(shown: Site) -> None:
    for host in ("daily.example", "localhost:1", "a_b", "[::1]:8000", "%", "a b", "a/b", "é", ""):
        answer = shown.get("/", Host=host)
        assert (answer.status, answer.body) == (200, HOME)
    assert "strict-transport-security" not in shown.get("/").headers


def test_a_path_before_the_site_may_stay_on_or_be_taken_off(tmp_path: Path) -> None:
    with run_site(tmp_path, publication={"url": "https://quay.example/news"}) as site:
        site.write("index.html")
        site.write("issues/a/index.html", b"issue")
        site.add("anna@daily.example")
        link = site.link("unsubscribe", "anna@daily.example")
        for prefix in ("", "/news"):
            assert site.get(f"{prefix}/").body == HOME
            assert site.get(f"{prefix}/issues/a").headers["location"] == "./a/"
            assert site.get(f"{prefix}{link}").title == "End your subscription?"
        assert site.get("/news/news/").status == 404
        assert site.ask("POST", f"/news{link}").title == "You are unsubscribed"


def test_a_site_below_a_path_like_its_own_is_taken_as_it_comes(tmp_path: Path) -> None:
    with run_site(tmp_path, publication={"url": "https://quay.example/issues"}) as site:
        site.write("a/index.html", b"not this")
        site.write("issues/a/index.html", b"issue")
        assert site.get("/issues/a/").body == b"issue"


def test_health_is_told(shown: Site) -> None:
    answer = shown.get("/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")
    assert answer.headers["cache-control"] == "no-store"


class TestBuilt:
    def test_what_was_withdrawn_is_gone(self, tmp_path: Path) -> None:
        folder = make_publication(tmp_path)
        settings = load_settings(folder / "publisher.toml", {})
        job = Job(folder=folder, settings=settings, output=folder / "public", now=datetime.now(UTC))
        build(job)
        with run_site(folder) as site:
            messages = ("/issues/older/email.html", "/issues/older/email.txt")
            paths = ("/highlights/rope/", "/issues/older/", *messages)
            assert {site.get(path).status for path in paths} == {200}
            known = site.get(paths[0]).headers["etag"]
            for id_ in ("rope", "older"):
                withdraw(folder, settings, id_, "It was wrong.", datetime.now(UTC))
            build(job)
            for path in paths:
                later = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
                for asked in ({"if_none_match": known}, {"if_none_match": "*"}):
                    assert site.get(path, **asked).status == 410
                answer = site.get(path, if_modified_since=later)
                assert answer.status == 410
                assert "It was wrong." in answer.text
                assert "etag" not in answer.headers
                assert site.ask("HEAD", path).status == 410
            assert site.get("/").status == 200

    def test_words_in_an_issue_make_no_tombstone(self, site: Site) -> None:
        text = b'<body class="issue-page">\n&lt;body class="withdrawn-page"'
        site.write("issues/a/index.html", text)
        assert site.get("/issues/a/").status == 200


class TestUnfinished:
    def test_before_the_first_build_there_is_a_notice(self, site: Site) -> None:
        answer = site.get("/")
        assert (answer.status, answer.title) == (503, "This does not work just now")
        assert int(answer.headers["retry-after"]) > 0
        assert site.get("/issues/a/").status == 404

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("consent.html", "{{ 1 / 0 }}"),
            ("consent.html", "{% if %}"),
            ("consent.html", "{{ nothing.there }}"),
            ("consent.html", '{% extends "pages/none.html" %}'),
            ("base.html", '{% include "pages/base.html" %}'),
        ],
    )
    def test_a_broken_template_leaves_plain_pages_that_work(
        self, name: str, text: str, tmp_path: Path
    ) -> None:
        templates = tmp_path / "templates" / "pages"
        templates.mkdir(parents=True)
        (templates / name).write_text(text)
        with run_site(tmp_path) as site:
            site.add("anna@daily.example")
            link = site.link("unsubscribe", "anna@daily.example")
            shown = site.get(link)
            assert (shown.status, shown.title) == (200, "End your subscription?")
            assert '<form method="post">' in shown.text
            assert "style-src 'none'" in shown.headers["content-security-policy"]
            assert site.ask("POST", link).title == "You are unsubscribed"
            assert site.get("/nothing").status == 404

    def test_a_template_that_is_no_text_leaves_plain_pages(self, tmp_path: Path) -> None:
        templates = tmp_path / "templates" / "pages"
        templates.mkdir(parents=True)
        (templates / "consent.html").write_bytes(b"\xff\xfe\x00")
        with run_site(tmp_path) as site:
            assert site.get("/nothing").title == "There is nothing here"
            assert site.subscribe("anna@daily.example").status == 503
