"""withdraw: take a highlight or an issue back, for good."""

from datetime import datetime
from pathlib import Path

import msgspec

from publisher.errors import PublisherError
from publisher.intake.fields import one_line
from publisher.render.urls import Urls
from publisher.render.views import Setting
from publisher.settings import Settings
from publisher.site.register import PATH, Record, append_register, read_register


def withdraw(
    folder: Path, settings: Settings, id_: str, reason: str, now: datetime
) -> list[Record]:
    """Record that an id is withdrawn, an issue with all of its highlights.

    Withdrawing twice changes nothing. Raises PublisherError where the id was never published.
    """
    register, problems = read_register(folder)
    if problems:
        raise PublisherError(f"{PATH}, line {problems[0].line}: {problems[0].message}")
    record = register.records.get(id_)
    if record is None:
        raise PublisherError(
            f"{id_!r} was never published, so there is nothing to withdraw; remove it from its file"
        )
    publication = settings.as_publication()
    zone = Setting(publication=publication, urls=Urls(publication.url), web_url="").zone
    moment = now.astimezone(zone).replace(microsecond=0)
    parts = [r for r in register.records.values() if record.kind == "issue" and r.issue == id_]
    withdrawn = [
        msgspec.structs.replace(each, withdrawn=moment, reason=one_line(reason))
        for each in (record, *parts)
        if each.withdrawn is None
    ]
    append_register(folder, publication.id, withdrawn)
    return withdrawn
