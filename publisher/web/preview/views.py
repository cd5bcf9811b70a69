"""The views of an issue, and the documents that the frame of each shows."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec
from lxml import etree

from publisher.model.issue import Issue
from publisher.render.urls import Urls
from publisher.web.preview.contents import Contents
from publisher.web.preview.entries import FeedEntry, read_entries
from publisher.web.preview.rewrite import force_scheme, localise, stay_on_page


class View(msgspec.Struct, frozen=True):
    """`name` stands in its URL, `label` on its tab; `title` says what its frame shows."""

    name: str
    label: str
    title: str


VIEWS = (
    View("wide", "Wide", "The message in a wide window"),
    View("phone", "Phone", "The message on a phone, 390 pixels wide"),
    View("dark", "Dark", "The message in dark mode"),
    View("images-off", "Images off", "The message without its images"),
    View("text", "Text", "The plain-text part of the message"),
    View("page", "Page", "The issue's page"),
    View("feeds", "Feeds", "The issue's entries in the feeds"),
)
BY_NAME = {view.name: view for view in VIEWS}


class FeedShown(msgspec.Struct, frozen=True):
    """One feed with the entries of one issue; `failure` says why it cannot be read."""

    label: str
    path: str
    entries: list[FeedEntry]
    failure: str = ""


def file_of(view: View, slug: str) -> str:
    """The file of the site that a view shows."""
    names = {"text": "email.txt", "page": "index.html"}
    return f"issues/{slug}/{names.get(view.name, 'email.html')}"


def frame_document(html: str, view: View, slug: str, base: str) -> str:
    """A page or a message as its frame shows it."""
    document = stay_on_page(localise(html, base), f"/issues/{slug}/")
    if view.name == "page":
        return document
    return force_scheme(document, "dark" if view.name == "dark" else "light")


def read_feeds(contents: Contents, issue: Issue) -> Iterator[FeedShown]:
    """The entries of an issue in the feed of highlights, and its own in the feed of issues."""
    urls = Urls(contents.built.url)
    highlights = {urls.highlight(highlight.id) for highlight in issue.highlights}
    for label, name, wanted in (
        ("Highlights", "feed.atom", highlights),
        ("Issues", "issues.atom", {urls.issue(issue.slug)}),
    ):
        yield _read_feed(contents, issue, label, name, wanted)


def _read_feed(
    contents: Contents, issue: Issue, label: str, name: str, wanted: set[str]
) -> FeedShown:
    """Read the live feed, or else the archive document of the issue's month (RFC 5005)."""
    assert issue.date is not None  # noqa: S101 - what is shown has a date, if a provisional one
    month = f"{issue.date.astimezone(ZoneInfo(contents.built.time_zone)):%Y-%m}"
    for path in (name, f"archive/{month}/{name}"):
        document = contents.read(path)
        try:
            entries = read_entries(document, wanted, contents.built.url) if document else []
        except etree.XMLSyntaxError as error:
            return FeedShown(label, path, [], f"{path} is not well-formed XML: {error}")
        if entries:
            return FeedShown(label, path, entries)
    return FeedShown(label, name, [])
