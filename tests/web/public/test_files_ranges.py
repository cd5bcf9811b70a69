"""Parts of media (RFC 9110, section 14): what players and resumed downloads ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.public.site import Site, run_site

SMALL, LARGE = os.urandom(1_000), os.urandom(700_000)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests here, each of which writes what it asks for."""
    with run_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def media(site: Site) -> Site:
    site.write("media/a.mp3", SMALL)
    site.write("media/b.mp4", LARGE)
    return site


@pytest.mark.parametrize(("path", "data"), [("/media/a.mp3", SMALL), ("/media/b.mp4", LARGE)])
def test_a_part_is_sent(path: str, data: bytes, media: Site) -> None:
    size = len(data)
    for asked, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=100-", 100, size - 1),
        ("bytes=-100", size - 100, size - 1),
        (f"bytes=10-{size * 2}", 10, size - 1),
    ):
        answer = media.get(path, range=asked)
        assert (answer.status, answer.body) == (206, data[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert answer.headers["content-length"] == str(last + 1 - first)
        assert answer.headers["etag"] == media.get(path).headers["etag"]


def test_media_say_that_they_have_parts_and_texts_do_not(media: Site) -> None:
    assert media.get("/media/a.mp3").headers["accept-ranges"] == "bytes"
    media.write("index.html")
    answer = media.get("/", range="bytes=0-3")
    assert (answer.status, "accept-ranges" in answer.headers) == (200, False)


def test_outside_there_is_nothing(media: Site) -> None:
    answer = media.get("/media/a.mp3", range="bytes=1000-")
    assert (answer.status, answer.body) == (416, b"")
    assert answer.headers["content-range"] == "bytes */1000"
    media.write("media/empty.mp3", b"")
    assert media.get("/media/empty.mp3", range="bytes=0-").status == 416
    assert media.get("/media/empty.mp3").status == 200


def test_a_part_of_another_state_is_not_sent(media: Site) -> None:
    now = media.get("/media/b.mp4").headers
    for known in (now["etag"], now["last-modified"]):
        assert media.get("/media/b.mp4", range="bytes=5-", if_range=known).status == 206
    for known in ('"other"', f"W/{now['etag']}", "Mon, 15 Dec 2025 07:00:05 GMT", "nonsense"):
        answer = media.get("/media/b.mp4", range="bytes=5-", if_range=known)
        assert (answer.status, answer.body) == (200, LARGE)


def test_who_has_it_gets_no_part(media: Site) -> None:
    tag = media.get("/media/a.mp3").headers["etag"]
    assert media.get("/media/a.mp3", range="bytes=5-", if_none_match=tag).status == 304


def test_a_part_is_for_get_alone(media: Site) -> None:
    answer = media.ask("HEAD", "/media/a.mp3", headers={"Range": "bytes=0-9"})
    assert (answer.status, answer.headers["content-length"]) == (200, "1000")


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-5,7-9", "bytes=" + ",".join(f"{n}-{n}" for n in range(2_000)), "lines=1-2", "x"],
)
def test_many_parts_are_the_whole(asked: str, media: Site) -> None:
    answer = media.get("/media/a.mp3", range=asked)
    assert (answer.status, answer.body) == (200, SMALL)
    assert "content-range" not in answer.headers


def test_the_same_part_many_times_holds_no_files(tmp_path: Path) -> None:
    """What is left in the middle is closed."""
    with run_site(tmp_path) as site:
        site.write("media/b.mp4", LARGE)
        site.get("/media/b.mp4", range="bytes=1-300000")
        before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
        for _ in range(50):
            assert site.get("/media/b.mp4", range="bytes=1-300000").status == 206
        after = len(os.listdir("/proc/self/fd")) if before else 0
        assert after <= before + 5
