"""An issue and its highlights: what an editor's file says, in one frozen model."""

from datetime import datetime
from typing import Literal

import msgspec

from publisher.model.content import Blocks

Status = Literal["draft", "ready"]


class Tag(msgspec.Struct, frozen=True):
    """A tag: any label, and the slug made from it (`[a-z0-9][a-z0-9-]{0,63}`)."""

    slug: str
    label: str


class Person(msgspec.Struct, frozen=True):
    """An author; `email` may be empty and never reaches a feed's RSS rendition."""

    name: str
    email: str = ""


class Image(msgspec.Struct, frozen=True):
    """A highlight's image: `src` as written; sizes in CSS pixels, 0 where unknown."""

    src: str
    alt: str | None = None
    width: int = 0
    height: int = 0


class Correction(msgspec.Struct, frozen=True):
    """An operator's note on what was changed after publication, and why. `at` is aware."""

    at: datetime
    note: str


class Highlight(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of an issue. `id` is empty where none was minted yet; `line` counts from 1."""

    id: str = ""
    title: str
    url: str = ""
    source: str = ""
    image: Image | None = None
    tags: tuple[Tag, ...] = ()
    language: str = ""
    guid: str = ""
    body: Blocks = ()
    line: int = 0
    corrections: tuple[Correction, ...] = ()


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One dated instalment. `date` is aware; None where the file has none that can be read.

    `slug` is the file's NAME, `path` the file relative to the publication's folder. An empty
    `language` means the publication's, an empty `title` the publication's title. `corrections` are
    those of its own words, oldest first, as a highlight's are; `version` names the text that is to
    be published (SHA-256 in hex), empty where that was not asked for.
    """

    slug: str
    path: str
    id: str = ""
    title: str = ""
    number: int | None = None
    date: datetime | None = None
    status: Status = "draft"
    summary: str = ""
    language: str = ""
    authors: tuple[Person, ...] = ()
    tags: tuple[Tag, ...] = ()
    mail: bool = True
    guid: str = ""
    introduction: Blocks = ()
    highlights: tuple[Highlight, ...] = ()
    corrections: tuple[Correction, ...] = ()
    version: str = ""
