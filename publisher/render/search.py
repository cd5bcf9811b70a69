"""Searching: the page with its form, what was found, and the index for sites without the server."""

from collections.abc import Iterable
from datetime import date

import msgspec
from markupsafe import Markup, escape

from publisher.model.language import direction
from publisher.model.searchable import Searchable
from publisher.render.frame import PageContext, fill_in, make_page
from publisher.render.marking import Part, excerpt_hits, mark
from publisher.render.page import short_day
from publisher.render.query import MOST_CHARACTERS, Query
from publisher.render.views import Setting

# So much of a text, in bytes of UTF-8, is searched where there is no server: a year of daily issues
# with six highlights each stays below a megabyte. It is the beginning, which says what it is about.
INDEXED_BYTES = 240
# The standard's limits (OpenSearch 1.1, "The OpenSearchDescription element").
_SHORT_NAME, _DESCRIPTION = 16, 1_024

_encode = msgspec.json.Encoder().encode


class DatedRows(msgspec.Struct, frozen=True, kw_only=True):
    """What can be found of an issue; `name` is its NAME, `day` is `2025-12-15`."""

    name: str
    day: str
    language: str
    rows: tuple[Searchable, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was found, marked where it was; `day` is written in the page's language."""

    url: str
    title: tuple[Part, ...]
    text: tuple[Part, ...]
    source: str
    date: str
    day: str
    language: str


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what was found; the addresses of the pages around it, empty where there is none."""

    found: tuple[Finding, ...] = ()
    total: int = 0
    previous_url: str = ""
    next_url: str = ""


def make_finding(row: Searchable, name: str, day: str, query: Query, setting: Setting) -> Finding:
    """Show a row of an issue of a NAME and a day (`2025-12-15`) that was found by a query."""
    return Finding(
        url=setting.urls.highlight(row.id) if row.id else setting.urls.issue(name),
        title=mark(row.title, query),
        text=excerpt_hits(row.text, query),
        source=row.source,
        date=day,
        day=short_day(date.fromisoformat(day), setting.publication.language, True),
        language=row.language,
    )


def render_search_page(context: PageContext, script: str) -> bytes:
    """Render `search/index.html`, whose script, by its URL, searches where there is no server."""
    return _render(context, "search", "", script=script)


def render_results_page(
    context: PageContext, style: Markup, text: str, query: Query, findings: Findings | None
) -> bytes:
    """Render the server's answer to what was typed; None where it cannot search just now.

    `style` is the site's stylesheet, to stand in the page.
    """
    return _render(context, "results", text, style=style, query=query, findings=findings)


def _render(context: PageContext, name: str, text: str, **variables: object) -> bytes:
    publication = context.setting.publication
    words = context.setting.words()
    page = make_page(
        publication,
        name=name,
        title=words.search_for.format(query=text) if text else words.search,
        description="",
        url=context.setting.urls.search(),
        language=publication.language,
        is_indexed=False,
    )
    return fill_in(context, page, text=text, most_characters=MOST_CHARACTERS, **variables)


def render_manifest(years: Iterable[int]) -> bytes:
    """Render `search/index.json`: the years that have an index, newest first."""
    return _encode({"years": list(years)})


def render_year_index(issues: Iterable[DatedRows]) -> bytes:
    """Render `search/YEAR.json`, its issues in the given order.

    `rows` hold id, title, source, tags, and the text's beginning; and also language and direction
    where that is another language than the issue's.
    """
    return _encode({"issues": [_index_issue(issue) for issue in issues]})


def _index_issue(issue: DatedRows) -> dict[str, object]:
    rows = []
    for row in issue.rows:
        fields = [row.id, row.title, row.source, row.tags, _beginning(row.text)]
        if row.language != issue.language:
            fields += [row.language, direction(row.language)]
        rows.append(fields)
    return {
        "name": issue.name,
        "day": issue.day,
        "language": issue.language,
        "direction": direction(issue.language),
        "rows": rows,
    }


def _beginning(text: str) -> str:
    """Cut a text between words, or between characters where it has no spaces."""
    data = text.encode()
    if len(data) <= INDEXED_BYTES:
        return text
    cut = data[:INDEXED_BYTES].decode(errors="ignore")
    return (cut.rpartition(" ")[0] or cut) + "…"


def render_opensearch(setting: Setting) -> bytes:
    """Render `opensearch.xml`, by which browsers offer to search the site (OpenSearch 1.1)."""
    publication, urls = setting.publication, setting.urls
    description = setting.words().search_of.format(title=publication.title)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"<ShortName>{escape(publication.title[:_SHORT_NAME].strip())}</ShortName>\n"
        f"<Description>{escape(description[:_DESCRIPTION])}</Description>\n"
        f'<Url type="text/html" method="get" template="{urls.search()}?q={{searchTerms}}"/>\n'
        '<Url type="application/opensearchdescription+xml" rel="self"'
        f' template="{urls.path("opensearch.xml")}"/>\n'
        f"<Language>{escape(publication.language)}</Language>\n"
        "<InputEncoding>UTF-8</InputEncoding>\n</OpenSearchDescription>\n"
    ).encode()
