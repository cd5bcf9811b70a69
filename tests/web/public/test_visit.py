"""Whose request it is: the Origin of a form, and the client behind proxies."""

from typing import Any

import pytest
from litestar.types import HTTPScope

from publisher.web.public.visit import Doorway, Visit, limit_group
from tests.web.public.site import ONE_CLICK, Site, make_settings

URLS = {"publication": {"url": "https://daily.example"}, "web": {"url": "https://f.example/x"}}


def _visit(
    peer: str = "192.0.2.9",
    proxies: tuple[str, ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
    path: str = "/",
    **tables: Any,
) -> Visit:
    tables = tables or {"publication": URLS["publication"], "web": URLS["web"]}
    web = tables.pop("web", {}) | {"trusted_proxies": list(proxies)}
    scope: Any = {
        "client": (peer, 1) if peer else None,
        "raw_path": path.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    checked: HTTPScope = scope
    settings = make_settings(web=web, **tables)
    own_urls = (settings.as_publication().url, settings.web_url)
    return Doorway(own_urls, settings.web.trusted_proxies).read(checked)


OWN = (
    "https://daily.example",
    "https://DAILY.example",
    "https://daily.example:443",
    "https://f.example",
    "http://h.example:8000",
    "https://h.example:8000",
)
FOREIGN = (
    "null",
    "",
    "https://evil.example",
    "https://daily.example.evil.example",
    "https://evildaily.example",
    "https://daily.example:8443",
    "http://daily.example",
    "https://daily.example/",
    "https://daily.example@evil.example",
    "daily.example",
    "file://",
    "chrome-extension://daily.example",
    "http://h.example",
    "http://h.example:80001",
    "http://h.example:8000 http://evil.example",
)


@pytest.mark.parametrize("origin", OWN)
def test_own_origins(origin: str) -> None:
    assert _visit(headers=(("host", "h.example:8000"), ("origin", origin))).is_own


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_origins(origin: str) -> None:
    assert not _visit(headers=(("host", "h.example:8000"), ("origin", origin))).is_own


def test_no_origin_is_fine_and_two_are_not() -> None:
    assert _visit(headers=(("host", "h.example"),)).is_own
    twice = (("origin", "https://daily.example"),) * 2
    assert not _visit(headers=twice).is_own
    hosts = (("host", "a.example"), ("host", "b.example"), ("origin", "https://b.example"))
    assert not _visit(headers=hosts).is_own


def test_a_default_port_is_none() -> None:
    assert _visit(headers=(("host", "h.example:443"), ("origin", "https://h.example"))).is_own
    assert _visit(headers=(("host", "h.example"), ("origin", "http://h.example:80"))).is_own
    assert not _visit(headers=(("host", "h.example:443"), ("origin", "http://h.example"))).is_own


def test_a_domain_in_letters_is_known_as_dns_has_it() -> None:
    visit = _visit(
        headers=(("origin", "https://xn--bcher-kva.example"),),
        publication={"url": "https://bücher.example"},
    )
    assert visit.is_own


@pytest.mark.parametrize("path", ["/subscribe", "/confirm/no", "/unsubscribe/no"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_foreign_origin_is_refused_over_http(path: str, origin: str, shown: Site) -> None:
    answer = shown.ask("POST", path, ONE_CLICK, {"Origin": origin})
    assert (answer.status, answer.title) == (403, "This could not be accepted")


def test_a_foreign_page_unsubscribes_nobody_and_looking_is_not_refused(shown: Site) -> None:
    link = shown.link("unsubscribe", "anna@daily.example")
    before = shown.state()
    for origin in ("https://evil.example", "null"):
        assert shown.ask("POST", link, ONE_CLICK, {"Origin": origin}).status == 403
        assert shown.get(link, Origin=origin).status == 200
    assert shown.state() == before


@pytest.mark.parametrize(
    ("peer", "hops", "client"),
    [
        # Nobody is trusted, or somebody else
        ("192.0.2.9", ["203.0.113.5"], "192.0.2.9"),
        ("11.0.0.1", ["203.0.113.5"], "11.0.0.1"),
        # One proxy, and what was forged before it
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5", "10.0.0.2"], "203.0.113.5"),
        ("10.0.0.1", ["10.9.9.9, 203.0.113.5, 10.0.0.2"], "203.0.113.5"),
        # All are trusted: the furthest
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        # Other spellings
        ("10.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["2001:DB8:0::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        ("fd00::1", ["203.0.113.5"], "203.0.113.5"),
        # What cannot be read is believed by nobody, and hides nothing
        ("10.0.0.1", ["203.0.113.5, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["unknown, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.1.1.1, <script>, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [", ,,"], "10.0.0.1"),
        ("", ["203.0.113.5"], ""),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_not_ours(
    peer: str, hops: list[str], client: str
) -> None:
    headers = tuple(("x-forwarded-for", hop) for hop in hops)
    assert _visit(peer, ("10.0.0.0/8", "fd00::/64"), headers).client == client


def test_a_proxy_that_is_not_trusted_is_noticed() -> None:
    headers = (("x-forwarded-for", "203.0.113.5"),)
    assert _visit("10.0.0.1", (), headers).is_forwarded
    assert not _visit("10.0.0.1", ("10.0.0.1",), headers).is_forwarded
    assert not _visit("10.0.0.1").is_forwarded


def test_clients_are_grouped_as_they_are_given_out() -> None:
    assert limit_group("2001:db8:1:2:3:4:5:6") == limit_group("2001:db8:1:2::1")
    assert limit_group("2001:db8:1:2::1") != limit_group("2001:db8:1:3::1")
    assert limit_group("192.0.2.1") == "192.0.2.1"
    assert limit_group("") == ""


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("/a", "/a"),
        ("/x/a", "/a"),
        ("/x/", "/"),
        ("/xa", "/xa"),
        ("/x", "/"),
        ("/x/x/a", "/x/a"),
        ("/%78/a", "/%78/a"),
        ("http://daily.example/a", "/a"),
        ("https://daily.example/x/a", "/a"),
        ("http://daily.example", "/"),
        ("*", "*"),
    ],
)
def test_paths_are_read_below_the_site(sent: str, path: str) -> None:
    assert _visit(path=sent).path == path
