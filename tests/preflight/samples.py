"""Issues, messages, pages, feeds and settings without a fault, to be changed by one fault each."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from publisher.intake.read import read_issue
from publisher.model.feed import Entry, Feed
from publisher.model.issue import Issue, Person
from publisher.model.problem import Problem
from publisher.model.publication import Publication
from publisher.preflight.content import check_issue
from publisher.preflight.feed import check_feed
from publisher.preflight.links import check_links
from publisher.preflight.message import Cut as AnyCut
from publisher.preflight.message import check_message
from publisher.preflight.page import check_page
from publisher.preflight.publication import check_publication
from publisher.render.urls import Urls
from publisher.render.views import Setting
from publisher.settings import Settings, parse_settings
from tests.catalogues import CATALOGUES

ZONE = ZoneInfo("Asia/Shanghai")
MEDIA = ("media/harbour.jpg", "media/report.pdf", "media/My Photo.png")

PARAGRAPH = "The ferry leaves at seven, and the last boat comes back before it is dark."


def make_setting(language: str = "en") -> Setting:
    return Setting(
        publication=Publication(
            id="tag:daily.example,2025:lantern",
            title="The Lantern Daily",
            url="https://daily.example",
            time_zone="Asia/Shanghai",
            language=language,
        ),
        urls=Urls("https://daily.example"),
        web_url="https://daily.example",
        catalogues=CATALOGUES,
        media={"media/harbour.jpg": (1200, 800), "media/My Photo.png": (640, 480)},
    )


FRONT = """\
id: k3v9q2m7xt
title: The harbour wakes up
date: 2025-12-15T07:00:00+08:00
status: ready
"""


def markdown(body: str = PARAGRAPH, heading: str = "The night ferry {#ferry}", **front: str) -> str:
    """An issue of one highlight; `front` adds fields or replaces them."""
    fields = dict(line.split(": ", 1) for line in FRONT.splitlines()) | front
    lines = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"---\n{lines}---\n\n## {heading}\n\n{body}\n"


def read(text: str, name: str = "2025-12-15.md") -> tuple[Issue | None, list[Problem]]:
    issue, problems = read_issue(text.encode(), f"issues/{name}", ZONE)
    return issue, list(problems)


def check_text(
    text: str, language: str = "en", media: Collection[str] = MEDIA, name: str = "2025-12-15.md"
) -> list[Problem]:
    """Everything that is said of an issue before it is rendered."""
    setting = make_setting(language)
    issue, problems = read(text, name)
    if issue is None:
        return problems
    return [*problems, *check_issue(issue, setting, media), *check_links(issue, setting)]


def check_body(body: str, **more: Any) -> list[Problem]:
    return check_text(markdown(body), **more)


def check_heading(heading: str, **more: Any) -> list[Problem]:
    return check_text(markdown(heading=heading), **more)


def check_front(**front: str) -> list[Problem]:
    return check_text(markdown(**front))


MESSAGE = """\
<!DOCTYPE html>
<html lang="en" dir="ltr"><head><meta charset="utf-8"><title>The harbour wakes up</title>
<!--[if mso]><style>table { display: flex }</style><![endif]-->
<style>:root { color-scheme: light dark; } .card { border-radius: 4px }
@media (max-width: 600px) { .card { display: flex; position: absolute } }</style>
</head><body style="margin:0;padding:0">
<table role="presentation" width="100%"><tr><td style="padding:24px;font-size:17px">
<h1>The harbour wakes up</h1>
<h2 id="ferry">The night ferry</h2>
<img src="https://daily.example/media/harbour.jpg" alt="Lights" width="536" height="357">
<p style="margin:0 0 16px">It leaves at <a href="https://daily.example/">seven</a>.</p>
<p><a href="#ferry">Up</a> <a href="https://daily.example/unsubscribe/x">Unsubscribe</a></p>
</td></tr></table></body></html>
"""
TEXT = """\
The harbour wakes up

1. The night
   ferry

It leaves at seven.

Unsubscribe: https://daily.example/unsubscribe/x
"""
SUBJECT = "The harbour wakes up"


class Cut(msgspec.Struct, frozen=True):
    id: str
    title: str
    kept: int
    total: int


def check_mail(
    html: str = MESSAGE,
    text: str = TEXT,
    subject: str = SUBJECT,
    cuts: Sequence[AnyCut] = (),
    titles: Collection[str] = ("The night ferry",),
) -> list[Problem]:
    return check_message(html, text, subject, cuts, "issues/2025-12-15.md", titles)


def mail_with(old: str, new: str) -> list[Problem]:
    """What is said of the message with one thing replaced."""
    assert old in MESSAGE
    return check_mail(MESSAGE.replace(old, new))


def mail_style(style: str) -> list[Problem]:
    return mail_with("margin:0 0 16px", style)


def mail_element(element: str) -> list[Problem]:
    return mail_with("<h1>", f"{element}<h1>")


def mail_block(css: str) -> list[Problem]:
    return mail_with(":root {", f"{css} :root {{")


PAGE = """\
<!doctype html>
<html lang="en" dir="ltr"><head><meta charset="utf-8"><title>The harbour</title>
<link rel="stylesheet" href="https://daily.example/site.css">
<script type="application/ld+json">{"@context": "https://schema.org"}</script>
</head><body><a href="#main_content">Skip</a><main id="main_content">
<h1>The harbour wakes up</h1><h2 id="ferry"><a href="#ferry">The night ferry</a></h2>
<img src="https://daily.example/media/harbour.jpg" alt="Lights" width="536" height="357">
<p>About &lt;script&gt; and <a href="#top">more</a>.</p></main></body></html>
"""


def page_with(old: str, new: str) -> list[Problem]:
    assert old in PAGE
    return check_page(PAGE.replace(old, new).encode(), "issues/2025-12-15/index.html")


def page_element(element: str) -> list[Problem]:
    return page_with("<h1>", f"{element}<h1>")


NOON = datetime(2025, 12, 15, 12, tzinfo=UTC)


def make_entry(id_: str = "ferry", moment: datetime = NOON, **more: Any) -> Entry:
    fields: dict[str, Any] = {
        "id": f"tag:daily.example,2025:lantern/{id_}",
        "url": f"https://daily.example/highlights/{id_}/",
        "title": f"The night {id_}",
        "published": moment,
        "updated": moment,
        "authors": (Person("The Desk"),),
        "summary": "It leaves at seven.",
        "content": '<p>It leaves at <a href="https://daily.example/">seven</a>.</p>',
    }
    return Entry(**fields | more)


def make_feed(*entries: Entry, **more: Any) -> Feed:
    fields: dict[str, Any] = {
        "id": "tag:daily.example,2025:lantern/feed",
        "title": "The Lantern Daily",
        "description": "Five things.",
        "url": "https://daily.example/",
        "stem": "https://daily.example/feed",
        "language": "en",
        "updated": NOON + timedelta(days=9),
        "entries": entries,
    }
    return Feed(**fields | more)


def feed_of(*entries: Entry, data: bytes = b"<feed/>", **more: Any) -> list[Problem]:
    return check_feed(make_feed(*entries, **more), data, "feed.atom")


def make_settings(**tables: Any) -> Settings:
    """Settings that nothing is wrong with; a table given here is laid over the one of its name."""
    whole: dict[str, Any] = {
        "publication": {
            "id": "tag:daily.example,2025:lantern",
            "title": "The Lantern Daily",
            "url": "https://daily.example",
            "time_zone": "Asia/Shanghai",
            "description": "Five things.",
            "author": "The Desk <desk@daily.example>",
        },
        "email": {
            "from": "The Lantern Daily <daily@daily.example>",
            "postal_address": "12 Harbour Street, Haikou",
        },
        "smtp": {"host": "smtp.daily.example"},
        "dkim": {"domain": "daily.example", "selector": "s1", "private_key": "dkim.pem"},
    }
    for name, table in tables.items():
        whole[name] = table if table is None else whole.get(name, {}) | table
    return parse_settings({name: table for name, table in whole.items() if table is not None})


def settings_with(media: Collection[str] = MEDIA, **tables: Any) -> list[Problem]:
    return check_publication(make_settings(**tables), media)
