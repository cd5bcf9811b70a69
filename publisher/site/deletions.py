"""What was withdrawn, as feeds say it (RFC 6721): where its entry stood when it was published."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from publisher.model.issue import Issue
from publisher.site.index import Index, moment_of
from publisher.site.order import effective_tags
from publisher.site.register import Record
from publisher.site.versions import read_last_text


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawn issue or highlight: what a feed says of it, and what places it among entries.

    `moment` and `month` are those of its issue. `tags` are empty where what it said is not known.
    """

    kind: str
    id: str
    guid: str
    when: datetime
    reason: str
    moment: int
    month: str
    tags: frozenset[str]


def find_gone(index: Index, zone: ZoneInfo) -> frozenset[Gone]:
    """All that was withdrawn, and where it stood."""
    records = index.all_records("is_withdrawn = 1")
    return frozenset(_find(index, record, zone) for record in records)


def _find(index: Index, record: Record, zone: ZoneInfo) -> Gone:
    text = read_last_text(index, record.issue or record.id, record.id)
    date = text.date if text and text.date else _first_date(index, record)
    return Gone(
        kind=record.kind,
        id=record.id,
        guid=record.guid,
        when=(record.withdrawn or record.updated).astimezone(zone),
        reason=record.reason,
        moment=moment_of(date),
        month=f"{date.astimezone(zone):%Y-%m}",
        tags=_tags(text, record.id) if text else frozenset(),
    )


def _first_date(index: Index, record: Record) -> datetime:
    return index.records([record.issue]).get(record.issue, record).published


def _tags(text: Issue, id_: str) -> frozenset[str]:
    found = (effective_tags(h, text) for h in text.highlights if h.id == id_)
    return frozenset(tag.slug for tags in found for tag in tags)
