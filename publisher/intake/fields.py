"""Fields -> values: one meaning of each field, whichever form of file it stands in."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from email.utils import parseaddr
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from publisher.intake.text import drop_forbidden, dropped_characters
from publisher.intake.tree import Node, find_dropped
from publisher.model.issue import Image, Person, Tag
from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# RFC 3339, section 5.6, and what people write for it: a space for T, no seconds, no offset.
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?([Zz]|[+-]\d\d:?\d\d)?"
)

ISSUE_FIELDS = (
    *("id", "title", "number", "date", "status", "summary", "language", "authors", "tags"),
    *("mail", "guid"),
)
HIGHLIGHT_FIELDS = (
    *("id", "title", "url", "source", "image", "alt", "width", "height", "tags", "language"),
    *("guid", "body"),
)


class Reader:
    """Reads typed values from a mapping's nodes and collects what is wrong with them."""

    def __init__(self, file: str, fields: Mapping[str, Node], what: str = "") -> None:
        self.file = file
        self.fields = fields
        self.what = what
        self.problems: list[Problem] = []

    def report(self, name: str, line: int | None, /, **values: Any) -> None:
        self.problems.append(problem(name, self.file, line, **values))

    def report_dropped(self) -> None:
        for field in self.fields.values():
            for node in find_dropped(field):
                self.problems.append(dropped_characters(node.dropped, self.file, node.line))

    def reject_unknown(self, known: tuple[str, ...]) -> None:
        for key, node in self.fields.items():
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                found, names = _shorten(key), ", ".join(known)
                self.report("field-unknown", node.line, found=found, hint=hint, known=names)

    def line(self, key: str, default: int = 1) -> int:
        return self.fields[key].line if key in self.fields else default

    def wrong(self, key: str, right: str, *, is_error: bool = False) -> None:
        node = self.fields[key]
        found = node.value if isinstance(node.value, str) else _shape(node)
        field = f"{self.what}{key}"
        name = "field-unreadable" if is_error else "field-invalid"
        self.report(name, node.line, field=field, found=_shorten(str(found)), right=right)

    def text(self, key: str, *, is_error: bool = False) -> str:
        """A field's text on one line; empty where it is missing or no text."""
        node = self.fields.get(key)
        if node is None or node.value is None:
            return ""
        if not isinstance(node.value, str):
            self.wrong(key, "text", is_error=is_error)
            return ""
        return one_line(node.value)

    def choice(self, key: str, choices: Mapping[str, Any], default: Any) -> Any:
        """A field that decides what is published: anything but the choices is an error."""
        text = self.text(key, is_error=True).lower()
        if text in choices:
            return choices[text]
        if text:
            self.wrong(key, " or ".join(choices), is_error=True)
        return default

    def id(self) -> str:
        text = self.text("id", is_error=True)
        if text and not ID.fullmatch(text):
            self.report("id-invalid", self.line("id"), found=_shorten(text))
            return ""
        return text

    def number(self, key: str) -> int | None:
        text = self.text(key)
        if re.fullmatch(r"\d{1,9}", text):
            return int(text)
        if text:
            self.wrong(key, "a whole number")
        return None

    def language(self) -> str:
        text = self.text("language")
        if text and not _LANGUAGE.fullmatch(text):
            self.wrong("language", "a language tag such as en, zh-Hans or ar")
            return ""
        return text

    def strings(self, key: str) -> list[str]:
        """A list of texts, or one text with commas."""
        node = self.fields.get(key)
        if node is None or node.value is None:
            return []
        if isinstance(node.value, str):
            return split_list(node.value)
        if isinstance(node.value, list):
            texts = [one_line(n.value) for n in node.value if isinstance(n.value, str)]
            if len(texts) < len(node.value):
                self.wrong(key, "a list of words")
            return [text for text in texts if text]
        self.wrong(key, "a list of words")
        return []

    def tags(self) -> tuple[Tag, ...]:
        return unique_tags([make_tag(label) for label in self.strings("tags")])

    def authors(self) -> tuple[Person, ...]:
        node = self.fields.get("authors")
        if node is None or node.value is None:
            return ()
        entries = node.value if isinstance(node.value, list) else [node]
        people = [_person(entry) for entry in entries]
        if not all(people):
            self.wrong("authors", "a list of `Name <address@example.org>`")
        return tuple(person for person in people if person)

    def image(self) -> Image | None:
        src = self.text("image")
        if not src:
            return None
        alt = self.text("alt") if "alt" in self.fields else None
        return Image(src, alt, self.number("width") or 0, self.number("height") or 0)

    def date(self, slug: str, zone: ZoneInfo) -> datetime | None:
        """The issue's moment; from NAME where the field is missing and NAME is a day."""
        written = self.text("date", is_error=True)
        if not written and not self._is_broken("date"):
            if _DAY.fullmatch(slug) and (day := read_moment(slug, zone)):
                return day
            self.report("date-missing", 1)
            return None
        moment = read_moment(written, zone)
        if moment is None and written:
            self.report("date-unreadable", self.line("date"), found=_shorten(written))
        elif moment and not _DAY.fullmatch(written) and not has_offset(written):
            self.report(
                "date-without-offset", self.line("date"), found=written, right=moment.isoformat()
            )
        return moment

    def _is_broken(self, key: str) -> bool:
        node = self.fields.get(key)
        return node is not None and node.value is not None and not isinstance(node.value, str)


def read_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Read a day or an RFC 3339 time; what has no offset is the publication's wall time."""
    text = text.strip()
    if _DAY.fullmatch(text):
        text += "T00:00"
    match = _MOMENT.fullmatch(text)
    if not match:
        return None
    try:
        moment = datetime.fromisoformat("T".join((match[1], match[2])) + (match[3] or "").upper())
    except ValueError:
        return None
    # Room for offsets and for what is reckoned with it; some feed readers know no other years.
    if not 1900 <= moment.year <= 9000:
        return None
    moment = moment.replace(microsecond=0)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def has_offset(text: str) -> bool:
    match = _MOMENT.fullmatch(text.strip())
    return bool(match and match[3])


def one_line(text: str) -> str:
    """Trim a text and fold line breaks and tabs; other spaces stay as they are."""
    parts = re.split(r"[\n\t]+", drop_forbidden(text))
    return " ".join(part.strip(" ") for part in parts).strip()


def split_list(text: str) -> list[str]:
    return [part for part in (one_line(p) for p in re.split("[,，、]", text)) if part]


def make_tag(label: str) -> Tag:
    """Make a tag's slug from its label: readable where it is ASCII, else told apart by a hash."""
    folded = unicodedata.normalize("NFKC", label).casefold()
    plain = unicodedata.normalize("NFKD", folded)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"['’]", "", plain)
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    is_whole = not re.search(r"[^a-z0-9\s_/&.,:()-]", plain)
    if slug and is_whole and len(slug) <= 64:
        return Tag(slug, label)
    mark = sha256(folded.encode()).hexdigest()[:8]
    return Tag(f"{slug[:55].rstrip('-')}-{mark}".lstrip("-"), label)


def unique_tags(tags: list[Tag]) -> tuple[Tag, ...]:
    """Each tag once, in its first place."""
    first: dict[str, Tag] = {}
    for tag in tags:
        first.setdefault(tag.slug, tag)
    return tuple(first.values())


def _person(node: Node) -> Person | None:
    if isinstance(node.value, dict):
        parts = {key: part.value for key, part in node.value.items()}
        name, email = (one_line(str(parts.get(key) or "")) for key in ("name", "email"))
        return Person(name, email) if name else None
    if not isinstance(node.value, str) or not node.value.strip():
        return None
    text = one_line(node.value)
    if "@" not in text:
        return Person(text)
    display, address = parseaddr(text)
    return Person(display or address, address)


def _shape(node: Node) -> str:
    shapes: dict[type, str] = {list: "a list", dict: "a mapping"}
    return shapes.get(type(node.value), "nothing")


def _shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
