"""Fetching what others publish, from real servers that behave in every way."""

import gzip
import socket
import time
import zlib
from collections.abc import Callable

import pytest

from publisher.runtime.fetching import Fetched, Validators, fetch, name_agent
from tests.runtime.test_outward import listening

Serve = Callable[[socket.socket], None]
AGENT = name_agent("https://daily.example")
HERE = ("127.0.0.1",)


def answering(body: bytes = b"", status: str = "200 OK", **headers: str) -> Serve:
    def serve(client: socket.socket) -> None:
        named = {"Content-Length": str(len(body))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        client.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    return serve


def get(serve: Serve, **options: object) -> Fetched:
    with listening(serve) as (port, _):
        return fetch(
            f"http://127.0.0.1:{port}/feed",
            agent=AGENT,
            **({"private_hosts": HERE} | options),  # type: ignore[arg-type]
        )


def test_a_document_comes_with_what_its_next_request_needs() -> None:
    serve = answering(b"<rss/>", Content_Type="text/xml", ETag='"1"', Last_Modified="then")
    with listening(serve) as (port, heard):
        url = f"http://127.0.0.1:{port}/feed"
        found = fetch(f"{url}#top", agent=AGENT, private_hosts=HERE)
        assert (found.url, found.body, found.content_type) == (url, b"<rss/>", "text/xml")
        assert found.validators == Validators(url=url, etag='"1"', last_modified="then")
        fetch(url, agent=AGENT, known=found.validators, private_hosts=HERE)
        other = Validators(url=f"{url}/other", etag='"2"')
        fetch(url, agent=AGENT, known=other, private_hosts=HERE)
    assert b"User-Agent: publisher/" in heard[0]
    assert b"(+https://daily.example)\r\n" in heard[0]
    assert b"If-None-Match" not in heard[0]
    assert b'If-None-Match: "1"\r\nIf-Modified-Since: then\r\n' in heard[1]
    assert b"If-None-Match" not in heard[2]


def test_what_has_not_changed_is_said() -> None:
    found = get(answering(status="304 Not Modified"))
    assert found.is_unmodified
    assert found.fault == ""


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "429 Slow", "500 Oh"])
def test_a_refusal_is_a_fault_with_its_status(status: str) -> None:
    found = get(answering(b"no", status, Retry_After="120"))
    assert found.fault == f"it answered {status[:3]}"
    assert (found.status, found.retry_after, found.body) == (int(status[:3]), "120", b"")


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"abc", mtime=0)),
        ("x-gzip", gzip.compress(b"ab", mtime=0) + gzip.compress(b"c", mtime=0) + b"\0\0"),
        ("deflate", zlib.compress(b"abc")),
        ("Deflate", zlib.compress(b"abc", wbits=-15)),
        ("identity", b"abc"),
    ],
)
def test_what_is_packed_is_unpacked(coding: str, packed: bytes) -> None:
    assert get(answering(packed, Content_Encoding=coding)).body == b"abc"


@pytest.mark.parametrize(
    ("coding", "packed", "fault"),
    [
        (
            "gzip",
            gzip.compress(b"\0" * 20_000_000, mtime=0),
            "longer than 5,000,000 bytes when it is",
        ),
        ("deflate", zlib.compress(b"\0" * 20_000_000), "longer than 5,000,000 bytes when it is"),
        ("gzip", gzip.compress(b"", mtime=0) * 20, "too many parts"),
        ("gzip", b"abc", "damaged"),
        ("gzip", gzip.compress(b"abc" * 99, mtime=0)[:-20], "breaks off"),
        ("br", b"abc", "'br', which was not asked for"),
        ("gzip, gzip", b"abc", "was not asked for"),
    ],
)
def test_what_cannot_be_unpacked_is_none(coding: str, packed: bytes, fault: str) -> None:
    found = get(answering(packed, Content_Encoding=coding))
    assert fault in found.fault
    assert found.body == b""


def test_an_endless_answer_ends() -> None:
    def pour(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            client.sendall(b"x" * 65_536)

    assert get(pour).fault == "its answer is longer than 5,000,000 bytes"


def test_an_answer_that_breaks_off_is_none() -> None:
    assert "no answer" in get(answering(b"<rss>", Content_Length="500")).fault


def test_a_server_that_drips_is_cut_off() -> None:
    def drip(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            client.sendall(b"x")
            time.sleep(0.05)

    assert get(drip, seconds=0.3).fault == "no answer (it took too long)"


def _moving(status: str, location: str) -> Serve:
    return answering(status=status, Location=location)


@pytest.mark.parametrize(("first", "is_for_good"), [("301 Go", True), ("302 Go", False)])
def test_a_redirect_is_followed_and_remembered_only_where_it_is_for_good(
    first: str, is_for_good: bool
) -> None:
    with listening(answering(b"here")) as (inner, heard):
        target = f"http://127.0.0.1:{inner}/new"
        found = get(_moving(first, f"{target}?a=ü"))
    assert heard[0].startswith(b"GET /new?a=%C3%BC HTTP/1.1\r\n")
    assert (found.body, found.url) == (b"here", f"{target}?a=%C3%BC")
    assert found.moved_to == (found.url if is_for_good else "")


def test_what_moves_for_good_behind_a_passing_redirect_has_not_moved_for_good() -> None:
    with listening(answering(b"here")) as (inner, _):
        second = _moving("301 Go", f"http://127.0.0.1:{inner}/")
        with listening(second) as (middle, _):
            found = get(_moving("302 Go", f"http://127.0.0.1:{middle}/"))
    assert (found.body, found.moved_to) == (b"here", "")


def test_no_redirect_leads_into_a_private_network() -> None:
    """The first host is allowed by its name; another name of the same machine is not."""
    for target in ("http://127.0.0.2:{}/", "http://localhost:{}/", "//[::1]:{}/"):
        with listening(answering(b"secret")) as (inner, heard):
            found = get(_moving("301 Go", target.format(inner)))
            assert found.fault == "its host is in a private network"
            assert heard == []
            assert found.body == b""


def test_nothing_private_is_asked_at_all_where_nothing_is_allowed() -> None:
    assert get(answering(b"x"), private_hosts=()).fault == "its host is in a private network"


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://a.example/", "//[", "//me:secret@a.example/"]
)
def test_a_redirect_to_what_is_no_web_page_is_not_followed(target: str) -> None:
    assert "no http(s) URL" in get(_moving("302 Go", target)).fault


def test_redirects_in_a_circle_end() -> None:
    found = get(_moving("302 Go", "/feed"))
    assert found.fault == "it redirects more than 5 times"


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/\x00", "/%zz"])
def test_no_url_splits_a_request(path: str) -> None:
    with listening(answering(b"x")) as (port, heard):
        fetch(f"http://127.0.0.1:{port}{path}", agent=AGENT, private_hosts=HERE)
    for each in heard:
        assert each.count(b"\r\n") == 6  # four headers, the line before and the one behind them
        assert b"X: y" not in each
