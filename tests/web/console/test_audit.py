"""The page of the audit log: newest first, in pages that hold, of somebody or of some kind."""

import re

from publisher.model.operators import Actor
from publisher.store.audit import note
from tests.web.console.site import Browser, Console

_ROW = re.compile(r"<bdi>line (\d+)</bdi>")


def _write(console: Console, first: int, last: int, who: str = "anna@daily.example") -> None:
    with console.database.write() as connection:
        for n in range(first, last):
            note(
                connection,
                console.database.publication,
                Actor(who, "192.0.2.1"),
                "reader added" if n % 2 else "reader erased",
                console.clock(),
                about=f"line {n}",
            )


def _older(browser: Browser, page: str) -> str:
    match = re.search(r'href="([^"]+)" rel="next"', page)
    return browser.get(match[1].replace("&amp;", "&")).text if match else ""


def test_pages_hold_while_others_add_lines(console: Console) -> None:
    browser = console.enter("owner")
    _write(console, 0, 120)
    page, seen = browser.get("/audit").text, list[int]()
    while page:
        seen += map(int, _ROW.findall(page))
        _write(console, 1_000, 1_010)
        page = _older(browser, page)
    assert seen == list(range(119, -1, -1))


def test_of_somebody_and_of_some_kind(console: Console) -> None:
    browser = console.enter("owner")
    _write(console, 0, 4)
    _write(console, 4, 8, "bert & co <x@daily.example>")
    page = browser.get("/audit?who=bert+%26+co+%3Cx%40daily.example%3E&action=reader+added").text
    assert _ROW.findall(page) == ["7", "5"]
    assert "bert &amp; co &lt;x@daily.example&gt;" in page
    assert "Nothing of this kind was done." in browser.get("/audit?who=nobody").text


def test_filters_go_along_to_older_pages(console: Console) -> None:
    browser = console.enter("owner")
    _write(console, 0, 150)
    page = browser.get("/audit?action=reader+added").text
    found = _ROW.findall(page) + _ROW.findall(_older(browser, page))
    assert found == [str(n) for n in range(149, 0, -2)]


def test_what_no_database_takes_is_refused(console: Console) -> None:
    browser = console.enter("owner")
    for before in ("x", "-1", "9" * 30, "%00"):
        assert browser.get(f"/audit?before={before}").status == 400
    assert browser.get(f"/audit?who=%00&action={'x' * 3_000}").status == 200
