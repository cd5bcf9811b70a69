"""What the preview changes in pages and messages, and what it leaves alone."""

import pytest

from publisher.web.preview.rewrite import (
    add_script,
    force_scheme,
    localise,
    stay_on_page,
    title_of,
)

BASE = "https://quay.example/news"


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        (f'<a href="{BASE}/issues/a/#b">', '<a href="/issues/a/#b">'),
        (f'<a href="{BASE}/">', '<a href="/index.html">'),
        (f'<a href="{BASE}">', '<a href="/index.html">'),
        (f'<a href="{BASE}/#leave">', '<a href="/index.html#leave">'),
        (f'<a href="{BASE}?x=1">', '<a href="/index.html?x=1">'),
        (f"<a href='{BASE}/feed.atom'>", "<a href='/feed.atom'>"),
        (f"<a href={BASE}/feed.atom>", "<a href=/feed.atom>"),
        (f'<img alt="" src = "{BASE}/media/a.png">', '<img alt="" src = "/media/a.png">'),
        (f'<form action="{BASE}/subscribe">', '<form action="/subscribe">'),
        (f'<meta content="0; url={BASE}/issues/a/">', '<meta content="0; url=/issues/a/">'),
        (f"a {{ background: url({BASE}/media/a.png) }}", "a { background: url(/media/a.png) }"),
        (f"a {{ background: url('{BASE}/a.png') }}", "a { background: url('/a.png') }"),
    ],
)
def test_own_urls_lead_here(html: str, shown: str) -> None:
    assert localise(html, BASE) == shown


@pytest.mark.parametrize(
    "html",
    [
        f"<p>{BASE}/issues/a/</p>",
        f'<p title="{BASE}/a">',
        f'<meta property="og:url" content="{BASE}/a">',
        '<a href="https://quay.example/newspaper/">',
        '<a href="https://quay.example.evil.example/news/">',
        '<a href="https://quay.example/">',
        '<a href="http://quay.example/news/">',
        f'<a href="https://other.example/?to={BASE}/a">',
        '<a href="https://quay-example/news/a">',
    ],
)
def test_other_urls_and_words_stay(html: str) -> None:
    assert localise(html, BASE) == html


def test_an_address_is_found_as_html_writes_it() -> None:
    html = '<a href="https://quay.example/a&amp;b/issues/x/">'
    assert localise(html, "https://quay.example/a&b") == '<a href="/issues/x/">'


def test_in_a_frame_anchors_of_the_page_stay_and_links_open_elsewhere() -> None:
    html = (
        '<a href="/issues/a/#x">1</a><a class="y" href="/issues/b/#x">2</a><a href="#z">3</a>'
        '<a name="w">4</a><abbr>5</abbr>'
    )
    assert stay_on_page(html, "/issues/a/") == (
        '<a href="#x">1</a><a target="_blank" class="y" href="/issues/b/#x">2</a>'
        '<a href="#z">3</a><a name="w">4</a><abbr>5</abbr>'
    )


MESSAGE = (
    '<meta name="color-scheme" content="light dark">'
    "<style>:root { color-scheme: light dark }"
    "@media (prefers-color-scheme: dark) { a { color: #fff } }"
    "@media screen and (PREFERS-COLOR-SCHEME:light) { a { color: #000 } }</style>"
    "<p>(prefers-color-scheme: dark), color-scheme: light dark</p>"
)


def test_a_scheme_is_forced_in_styles_and_not_in_words() -> None:
    assert force_scheme(MESSAGE, "dark") == (
        '<meta name="color-scheme" content="dark">'
        "<style>:root { color-scheme: dark}"
        "@media (min-width: 0) { a { color: #fff } }"
        "@media screen and (max-width: 0) { a { color: #000 } }</style>"
        "<p>(prefers-color-scheme: dark), color-scheme: light dark</p>"
    )
    assert force_scheme(MESSAGE, "light") == (
        '<meta name="color-scheme" content="light">'
        "<style>:root { color-scheme: light}"
        "@media (max-width: 0) { a { color: #fff } }"
        "@media screen and (min-width: 0) { a { color: #000 } }</style>"
        "<p>(prefers-color-scheme: dark), color-scheme: light dark</p>"
    )


def test_the_script_stands_in_the_head_or_else_at_the_end() -> None:
    element = '<script src="/s.js" data-version="1-2" defer></script>\n'
    assert add_script("<head></HEAD ><p>", "/s.js", "1-2") == f"<head>{element}</HEAD ><p>"
    assert add_script("<p>", "/s.js", "1-2") == f"<p>{element}"


def test_the_title_is_its_words() -> None:
    assert title_of("<title>\n A &amp; B\n</title>") == "A & B"
    assert title_of("<p>") == ""
