"""withdraw: take a highlight or an issue back, for good."""

from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from publisher.errors import PublisherError
from publisher.intake.fields import one_line
from publisher.settings import Settings
from publisher.site.issue_files import slug_of
from publisher.site.job import hold_lock
from publisher.site.register import PATH, Record, append_register, read_register


def withdraw(
    folder: Path, settings: Settings, id_: str, reason: str, now: datetime
) -> list[Record]:
    """Record that an id is withdrawn, an issue with all of its highlights.

    Withdrawing twice changes nothing. Raises PublisherError where the id was never published.
    """
    with hold_lock(folder):
        return _withdraw(folder, settings, id_, one_line(reason), now)


def _withdraw(
    folder: Path, settings: Settings, id_: str, reason: str, now: datetime
) -> list[Record]:
    register, problems = read_register(folder)
    if problems:
        raise PublisherError(f"{PATH}, line {problems[0].line}: {problems[0].message}")
    record = register.records.get(id_)
    if record is None:
        raise PublisherError(f"{id_!r} was never published; {_what_else(id_, register.records)}")
    publication = settings.as_publication()
    moment = now.astimezone(ZoneInfo(publication.time_zone)).replace(microsecond=0)
    parts = [r for r in register.records.values() if record.kind == "issue" and r.issue == id_]
    withdrawn = [
        msgspec.structs.replace(each, withdrawn=moment, reason=reason)
        for each in (record, *parts)
        if each.withdrawn is None
    ]
    append_register(folder, publication.id, withdrawn)
    return withdrawn


def _what_else(id_: str, records: dict[str, Record]) -> str:
    """What may have been meant by an id that nobody knows."""
    slug = slug_of(id_)
    for record in records.values():
        if record.kind == "issue" and record.slug == slug:
            return f"the issue {slug} has the id {record.id}"
    near = get_close_matches(id_, records, 1)
    return f"did you mean {near[0]}?" if near else "take it out of its file, which is enough"
