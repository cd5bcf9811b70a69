"""Files in the codings that are asked for: each with its own ETag, and no siblings in public/."""

import gzip
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from pathlib import Path

import brotli
import pytest

from publisher.site.write import Output, Staging
from tests.web.public.site import Answer, Site, at_once, run_site, wait_until

TEXT = b"<p>words and words</p>\n" * 500
DECODE: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "": lambda data: data,
}
TEXTS = (
    *("index.html", "feed.atom", "feed.rss", "feed.json", "issues/a/email.txt", "feeds.opml"),
    *("sitemap.xml", "media/data.json", "media/a.svg", "assets/site-0123456789.css"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests here, each of which writes what it asks for."""
    with run_site(tmp_path_factory.mktemp("site")) as site:
        yield site


def _without_date(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "date"}


@pytest.mark.parametrize("path", TEXTS)
def test_texts_come_in_every_coding(path: str, site: Site) -> None:
    site.write(path, TEXT)
    answers = {coding: site.get(f"/{path}", accept_encoding=coding or None) for coding in DECODE}
    for coding, answer in answers.items():
        assert answer.status == 200
        assert answer.headers.get("content-encoding", "") == coding
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert DECODE[coding](answer.body) == TEXT
    tags = {answer.headers["etag"] for answer in answers.values()}
    assert len(tags) == 3
    assert not any(tag.startswith("W/") for tag in tags)
    assert len(answers["br"].body) < len(answers["gzip"].body) < len(TEXT)


def test_public_keeps_the_files_that_it_has(tmp_path: Path) -> None:
    with run_site(tmp_path) as site:
        site.write("index.html", TEXT)
        for coding in DECODE:
            site.get("/", accept_encoding=coding)
        assert [path.name for path in site.public.rglob("*")] == ["index.html"]


@pytest.mark.parametrize("path", ["media/a.png", "media/a.mp3", "media/a.pdf", "media/a.zip"])
def test_what_is_compressed_already_is_left_alone(path: str, site: Site) -> None:
    site.write(path, TEXT)
    answer = site.get(f"/{path}", accept_encoding="br, gzip")
    assert answer.body == TEXT
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers


@pytest.mark.parametrize(
    ("path", "accepted"),
    [("index.html", "*;q=0"), ("index.html", "identity;q=0"), ("media/a.png", "br, identity;q=0")],
)
def test_what_none_will_do_for_is_not_acceptable(path: str, accepted: str, site: Site) -> None:
    site.write(path, TEXT)
    answer = site.get(f"/{path}", accept_encoding=accepted)
    assert (answer.status, answer.body) == (406, b"")


@pytest.mark.parametrize("accepted", ["br", "gzip", "identity", "br, identity;q=0", "*;q=0", ""])
def test_head_says_what_get_would(accepted: str, site: Site) -> None:
    for path in ("index.html", "issues/a/index.html", "feed.atom", "media/a.png", "media/b.txt"):
        site.write(path, TEXT)
    site.write("media/large.pdf", os.urandom(600_000))
    site.write("issues/old/index.html", b'<html><body class="withdrawn-page">' + TEXT)
    site.write("issues/a/small.txt", b"few")
    for path in ("", "issues/a/", "issues/a", "feed.atom", "media/a.png", "media/b.txt"):
        _compare(site, path, accepted)
    for path in ("media/large.pdf", "issues/old/", "issues/a/small.txt", "nothing"):
        _compare(site, path, accepted)


def _compare(site: Site, path: str, accepted: str) -> None:
    headers = {"Accept-Encoding": accepted}
    get, head = (site.ask(method, f"/{path}", headers=headers) for method in ("GET", "HEAD"))
    assert head.body == b""
    assert (head.status, _without_date(head.headers)) == (get.status, _without_date(get.headers))


class TestNothingNew:
    def test_the_tag_of_any_coding_of_the_same_state_is_good(self, site: Site) -> None:
        site.write("feed.atom", TEXT)
        for coding in DECODE:
            tag = site.get("/feed.atom", accept_encoding=coding).headers["etag"]
            for asked in DECODE:
                for known in (tag, f"W/{tag}", f'"x", {tag}'):
                    answer = site.get("/feed.atom", accept_encoding=asked, if_none_match=known)
                    assert (answer.status, answer.body) == (304, b"")
                    assert answer.headers["etag"] == tag
                    assert answer.headers["vary"] == "Accept-Encoding"
                    assert "content-length" not in answer.headers

    def test_the_tag_of_another_state_is_not(self, site: Site) -> None:
        site.write("feed.atom", TEXT + b".")
        tags = [site.get("/feed.atom", accept_encoding=each).headers["etag"] for each in DECODE]
        site.write("new", TEXT.replace(b"words", b"WORDS")).replace(site.public / "feed.atom")
        for coding in DECODE:
            answer = site.get("/feed.atom", accept_encoding=coding, if_none_match=", ".join(tags))
            assert answer.status == 200
            assert b"WORDS" in DECODE[coding](answer.body)

    def test_two_builds_in_one_second_have_two_dates(self, site: Site) -> None:
        """Who asks by the date alone gets every state too."""
        seen: list[Answer] = []
        for number in range(3):
            _publish(site.public, "issues.atom", b"state %d " % number * 100)
            known = seen[-1].headers.get("last-modified") if seen else None
            seen.append(site.get("/issues.atom", if_modified_since=known))
        assert [answer.status for answer in seen] == [200, 200, 200]
        dates = [answer.headers.get("last-modified") for answer in seen]
        assert dates[0] is not None
        assert len({dates[0], *dates[1:]} - {None}) == len([date for date in dates if date])
        for answer in seen:
            if date := answer.headers.get("last-modified"):
                assert parsedate_to_datetime(date) <= parsedate_to_datetime(answer.headers["date"])

    def test_a_time_to_come_is_told_when_it_is_there(self, site: Site) -> None:
        path = site.write("feed.atom", TEXT)
        ahead = time.time() + 3_600
        os.utime(path, (ahead, ahead))
        answer = site.get("/feed.atom")
        assert "last-modified" not in answer.headers
        now = format_datetime(datetime.now(UTC), usegmt=True)
        assert site.get("/feed.atom", if_modified_since=now).status == 200
        assert site.get("/feed.atom", if_none_match=answer.headers["etag"]).status == 304

    def test_conditions_that_fail(self, site: Site) -> None:
        site.write("feed.atom", TEXT)
        assert site.get("/feed.atom", if_match='"other"').status == 412
        assert site.get("/feed.atom", if_match="*").status == 200


def _publish(public: Path, path: str, data: bytes) -> None:
    staging = Staging(public)
    staging.open()
    staging.put(Output(path, data))
    staging.publish([path])
    staging.close()


class TestAhead:
    def test_feeds_and_home_are_encoded_as_well_as_can_be(self, tmp_path: Path) -> None:
        with run_site(tmp_path) as site:
            for path in ("index.html", "feed.atom", "tags/film/feed.rss", "about.html"):
                site.write(path, TEXT)
            site.get("/tags/film/feed.rss")
            for path in ("", "feed.atom", "tags/film/feed.rss"):
                for variant in ("br11", "gzip9"):
                    wait_until(partial(self._is_in, site, path, variant))
            assert not self._is_in(site, "about.html", "br11")
            before = site.get("/feed.atom", accept_encoding="br")
            site.write("new", b"new " * 1_000).replace(site.public / "feed.atom")
            after = site.get("/feed.atom", accept_encoding="br")
            assert brotli.decompress(after.body) == b"new " * 1_000
            assert before.headers["etag"] != after.headers["etag"]
            wait_until(partial(self._is_in, site, "feed.atom", "br11"))
            # Who has what was made in haste has the newest state all the same.
            known = after.headers["etag"]
            assert site.get("/feed.atom", accept_encoding="br", if_none_match=known).status == 304

    @staticmethod
    def _is_in(site: Site, path: str, variant: str) -> bool | None:
        coding = variant.rstrip("0123456789")
        tag = site.get(f"/{path}", accept_encoding=coding).headers["etag"]
        return tag.endswith(f'-{variant}"') or None


def test_many_at_once_get_the_same(site: Site) -> None:
    site.write("sitemap.xml", os.urandom(50_000).hex().encode())
    answers = at_once(20, lambda _: site.get("/sitemap.xml", accept_encoding="br"))
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}


def test_a_long_text_is_sent_as_it_is(site: Site) -> None:
    data = b"x" * 8_100_000
    site.write("media/long.txt", data)
    answer = site.get("/media/long.txt", accept_encoding="br")
    assert "content-encoding" not in answer.headers
    assert answer.body == data


def test_what_may_be_kept_and_for_how_long(site: Site) -> None:
    paths = {
        "feed.atom": "public, max-age=1800",
        "issues.json": "public, max-age=1800",
        "tags/film/feed.rss": "public, max-age=1800",
        "assets/site-0123456789.css": "public, max-age=31536000, immutable",
        "assets/site.css": "no-cache",
        "index.html": "no-cache",
        "issues/a/index.html": "no-cache",
        "archive/2025/12.atom": "no-cache",
        "media/a.png": "no-cache",
        "feeds.opml": "no-cache",
    }
    for path, kept in paths.items():
        site.write(path, TEXT)
        assert site.get(f"/{path}").headers["cache-control"] == kept
