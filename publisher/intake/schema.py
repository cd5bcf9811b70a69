"""The JSON Schema of an issue in YAML or JSON, for editors that complete and check as one types."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Id = Annotated[
    str,
    Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}$", description="Permanent; minted by `publisher ids`."),
]
Language = Annotated[
    str,
    Meta(pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", description="A BCP 47 tag: en, zh-Hans."),
]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\d"
        r"([Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)? ?([Zz]|[+-]\d\d:?\d\d)?)?$",
        description="RFC 3339 with offset; where it is left out, the day in the file's name.",
    ),
]
Size = Annotated[int, Meta(ge=1, description="CSS pixels; measured where it is left out.")]


class Person(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    email: str = ""


class HighlightDocument(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One item of an issue."""

    title: Annotated[str, Meta(description="Plain text.")]
    id: Id | None = None
    url: Annotated[str | None, Meta(description="The page that the highlight is about.")] = None
    source: Annotated[str | None, Meta(description="Who published that page.")] = None
    image: Annotated[str | None, Meta(description="`media/…` or a URL.")] = None
    alt: Annotated[str | None, Meta(description="What the image shows, in words.")] = None
    width: Size | None = None
    height: Size | None = None
    tags: list[str] | str | None = None
    language: Language | None = None
    guid: Annotated[str | None, Meta(description="An identity adopted from elsewhere.")] = None
    body: Annotated[str | None, Meta(description="Markdown.")] = None


class IssueDocument(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One dated instalment of a publication."""

    id: Id | None = None
    title: str | None = None
    number: Annotated[int, Meta(ge=0)] | None = None
    date: Moment | None = None
    status: Literal["draft", "ready"] = "draft"
    summary: str | None = None
    language: Language | None = None
    authors: list[str | Person] | str | None = None
    tags: list[str] | str | None = None
    mail: Annotated[bool, Meta(description="False: never mailed.")] = True
    guid: str | None = None
    introduction: Annotated[str | None, Meta(description="Markdown.")] = None
    highlights: list[HighlightDocument] = []


def issue_schema() -> dict[str, Any]:
    """Make the schema (JSON Schema, draft 2020-12)."""
    (schema,), definitions = msgspec.json.schema_components(
        [IssueDocument], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An issue",
        **schema,
        "$defs": definitions,
    }
