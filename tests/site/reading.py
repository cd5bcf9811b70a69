"""Reading back what a build wrote, as feed readers and browsers do."""

import json
from datetime import datetime

import msgspec
from lxml import etree

from publisher.site.job import Report
from tests.site.world import World

BASE = "https://daily.example/"
_ATOM = "{http://www.w3.org/2005/Atom}"


class Seen(msgspec.Struct, frozen=True):
    """An entry of an Atom feed, as far as these tests look."""

    id: str
    title: str
    link: str
    published: datetime
    updated: datetime
    content: str


def read_atom(data: bytes) -> list[Seen]:
    entries = []
    for entry in etree.fromstring(data).findall(f"{_ATOM}entry"):
        links = {link.get("rel"): link.get("href") for link in entry.iter(f"{_ATOM}link")}
        entries.append(
            Seen(
                id=entry.findtext(f"{_ATOM}id"),
                title=entry.findtext(f"{_ATOM}title"),
                link=links["alternate"],
                published=datetime.fromisoformat(entry.findtext(f"{_ATOM}published")),
                updated=datetime.fromisoformat(entry.findtext(f"{_ATOM}updated")),
                content=entry.findtext(f"{_ATOM}content") or "",
            )
        )
    return entries


def entries(world: World, path: str = "feed.atom") -> dict[str, Seen]:
    """A feed's entries by their ids without the publication's own."""
    found = read_atom((world.public / path).read_bytes())
    return {entry.id.removeprefix("tag:daily.example,2025:test/"): entry for entry in found}


def atom_ids(data: bytes) -> list[str]:
    return [entry.id for entry in read_atom(data)]


def rss_ids(data: bytes) -> list[str]:
    return [item.findtext("guid") for item in etree.fromstring(data).iter("item")]


def json_ids(data: bytes) -> list[str]:
    return [item["id"] for item in json.loads(data)["items"]]


def link_of(data: bytes, rel: str) -> str:
    """The path that a feed document's own link leads to, less its query; empty without one."""
    for link in etree.fromstring(data).findall(f"{_ATOM}link"):
        if link.get("rel") == rel:
            return str(link.get("href")).removeprefix(BASE).partition("?")[0]
    return ""


def follow_archive(files: dict[str, bytes], live: str) -> list[str]:
    """The documents of a feed, from the live one back through its archive (RFC 5005, section 4)."""
    documents = [live]
    while previous := link_of(files[documents[-1]], "prev-archive"):
        assert previous not in documents
        documents.append(previous)
    return documents


def rules(report: Report) -> set[str]:
    return {problem.rule for problem in report.problems}
