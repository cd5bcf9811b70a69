"""A rehearsal's page, through axe-core, in light and dark and on a phone."""

from typing import Any

import msgspec
import pytest

from publisher.rehearsal.facts import Facts
from publisher.rehearsal.page import render_page
from publisher.rehearsal.report import make_report
from publisher.settings import Schedule
from publisher.site.scan import read_packaged_templates
from tests.browser.conftest import Axe, Windows
from tests.rehearsal.rehearsed import days_from, make_settings

pytestmark = pytest.mark.browser

SETTINGS = make_settings("Europe/Berlin", Schedule(name="daily", cron="30 2 * * *"))
DAYS = msgspec.structs.replace(
    days_from("2026-10-22", "Europe/Berlin", days=5), late=0.5, outages=2, crashes=2
)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(
            {"width": 1280, "height": 900, "color_scheme": "light"},
            marks=pytest.mark.long,
            id="light",
        ),
        pytest.param({"width": 390, "height": 844, "color_scheme": "dark"}, id="dark phone"),
    ],
)
def test_the_page_is_accessible(options: dict[str, Any], windows: Windows, axe: Axe) -> None:
    report = make_report(SETTINGS, Facts(domains={"a.example": 5}), DAYS)
    page = windows(**options)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.set_content(render_page(report, SETTINGS, read_packaged_templates()))
    assert axe(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
    assert said == []
    page.close()
