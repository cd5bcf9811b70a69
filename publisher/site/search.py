"""The tasks that make a site searchable without the server: its page, and an index by year."""

from hashlib import sha256

from jinja2 import Environment

from publisher.render.search import (
    INDEXED_BYTES,
    DatedRows,
    render_manifest,
    render_opensearch,
    render_search_page,
    render_year_index,
)
from publisher.render.views import language_of
from publisher.site.archive import Archive
from publisher.site.result import Result
from publisher.site.search_rows import make_rows
from publisher.site.write import Output

_SCRIPT = "pages/search.js"


def make_search(archive: Archive, _: str) -> Result:
    """The page, its script, the list of years, and what tells browsers of them."""
    script = _read_source(archive.context.templates, _SCRIPT).encode()
    # Its name changes with its content, as the stylesheet's does.
    name = f"assets/search-{sha256(script).hexdigest()[:10]}.js"
    years = [year.year for year in archive.years]
    # Relative, so that it is the page's own origin, which is all that its policy allows.
    page = render_search_page(archive.context, f"../{name}")
    return Result(
        (
            Output(name, script),
            Output("search/index.html", page),
            Output("search/index.json", render_manifest(years)),
            Output("opensearch.xml", render_opensearch(archive.setting)),
        )
    )


def make_year_index(archive: Archive, key: str) -> Result:
    """What can be found of a year's issues, newest first."""
    year = int(key)
    publication, zone = archive.setting.publication, archive.setting.zone
    issues = [
        DatedRows(
            name=issue.slug,
            day=issue.date.astimezone(zone).date().isoformat(),
            language=language_of(issue, publication),
            rows=make_rows(issue, publication, INDEXED_BYTES + 1),
        )
        for issue in archive.issues(archive.index.live_slugs("AND year = ?", year))
        if issue.date is not None
    ]
    if not issues:
        return Result(())
    return Result((Output(f"search/{year:04d}.json", render_year_index(issues)),))


def _read_source(templates: Environment, name: str) -> str:
    """A template as it is written, which is no template of Jinja's."""
    assert templates.loader is not None  # noqa: S101 - `make_templates` gives it one
    return templates.loader.get_source(templates, name)[0]
