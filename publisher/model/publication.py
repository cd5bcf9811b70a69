"""A publication: the recurring title that issues belong to."""

import msgspec

from publisher.model.issue import Person


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is a permanent tag: URI (RFC 4151); `url` has no trailing slash; `time_zone` is IANA's.

    `language` is a BCP 47 tag; `logo` is a path in `media/` or a URL, empty where there is none.
    """

    id: str
    title: str
    url: str
    time_zone: str
    language: str = "en"
    description: str = ""
    author: Person | None = None
    rights: str = ""
    logo: str = ""
