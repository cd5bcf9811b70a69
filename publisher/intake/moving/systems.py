"""Which system an export is of, and how it is read: told by what is in it, not by its name."""

import re
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import msgspec

from publisher.intake.moving import (
    beehiiv,
    buttondown,
    folder,
    ghost,
    junk,
    listmonk,
    mailchimp,
    substack,
    wordpress,
)
from publisher.intake.moving.junk import Habits
from publisher.intake.moving.post import DamagedError, Export, Exported
from publisher.intake.moving.text import read_json, to_text

Read = Callable[[], Exported]


class System(msgspec.Struct, frozen=True):
    """A system by its name on the command line, its name in words, and its habits."""

    name: str
    title: str
    habits: Habits


SYSTEMS = {
    system.name: system
    for system in (
        System("substack", "Substack", junk.SUBSTACK),
        System("mailchimp", "Mailchimp", junk.MAILCHIMP),
        System("ghost", "Ghost", junk.PLAIN),
        System("buttondown", "Buttondown", junk.BRACES),
        System("beehiiv", "beehiiv", junk.MAIL_WITH_BRACES),
        System("listmonk", "listmonk", junk.MAIL_WITH_BRACES),
        System("wordpress", "WordPress", junk.SHORTCODES),
        System("markdown", "a folder of Markdown", junk.SITE_TAGS),
    )
}
# More than any head of a file that tells what it is.
_LOOKED_AT = 200_000
# How an export in JSON begins; a digest may begin with a bracket too.
_JSON = re.compile(r"[\[{]\s*[\[{\"]")
# Of a zip's files, so many of a kind are asked what they are.
_ASKED = 20


class Part:
    """One file of an export, as an export of its own."""

    def __init__(self, export: Export, path: str) -> None:
        self.name = export.name
        self.paths = (path,)
        self.read = export.read


class _Files:
    """An export's files as they are looked at, each read and parsed once."""

    def __init__(self, export: Export, *, is_wanted: bool) -> None:
        self.export = export
        self.is_wanted = is_wanted
        self.is_one = len(export.paths) == 1
        self._heads: dict[str, str] = {}
        self._documents: list[tuple[str, Any]] | None = None

    def named(self, *suffixes: str) -> list[str]:
        """The files of a kind, the topmost first; of a single file its name says nothing."""
        if self.is_one:
            return list(self.export.paths)
        paths = [path for path in self.export.paths if path.lower().endswith(suffixes)]
        return sorted(paths, key=lambda path: path.count("/"))[:_ASKED]

    def head(self, path: str) -> str:
        if path not in self._heads:
            self._heads[path] = to_text(self.export.read(path)[:_LOOKED_AT], path)[0].lstrip()
        return self._heads[path]

    def documents(self) -> list[tuple[str, Any]]:
        """The documents of JSON. Raises DamagedError where the only file is a broken one."""
        if self._documents is None:
            paths = [path for path in self.named(".json") if _JSON.match(self.head(path))]
            self._documents = []
            for path in paths:
                with nullcontext() if self.is_one else suppress(DamagedError):
                    text = to_text(self.export.read(path), path)[0]
                    self._documents.append((path, read_json(text)))
        return self._documents


def find_system(export: Export, wanted: str = "") -> tuple[System, Read] | None:
    """The system that an export is of, and what reads it; None where nobody knows it.

    With `wanted` no other system is thought of. Raises DamagedError where the file that tells
    cannot be read.
    """
    files = _Files(export, is_wanted=bool(wanted))
    for name, find in _FINDERS:
        if wanted in ("", name) and (read := find(files)):
            return SYSTEMS[name], read
    return None


def _find_substack(files: _Files) -> Read | None:
    is_it = substack.is_substack(files.export)
    return partial(substack.read_substack, files.export) if is_it else None


def _find_buttondown(files: _Files) -> Read | None:
    export = files.export
    if buttondown.is_buttondown(export):
        return partial(buttondown.read_buttondown, export)
    for _, document in files.documents():
        if buttondown.is_buttondown_answer(document):
            return partial(buttondown.read_buttondown_answer, export, document)
    return None


def _find_mailchimp(files: _Files) -> Read | None:
    export = files.export
    pages = files.named(".html", ".htm")
    is_mail = files.is_one and mailchimp.is_mailchimp_mail(files.head(pages[0]))
    is_wanted = files.is_wanted and bool(pages)
    if mailchimp.is_mailchimp(export) or is_mail or is_wanted:
        return partial(mailchimp.read_mailchimp, export)
    return None


def _find_ghost(files: _Files) -> Read | None:
    for path, document in files.documents():
        if data := ghost.find_data(document):
            return partial(ghost.read_ghost, Part(files.export, path), data)
    return None


def _find_beehiiv(files: _Files) -> Read | None:
    for path in files.named(".csv"):
        if beehiiv.is_beehiiv(files.head(path)):
            return partial(beehiiv.read_beehiiv, Part(files.export, path))
    for _, document in files.documents():
        if beehiiv.is_beehiiv_answer(document):
            return partial(beehiiv.read_beehiiv_answer, files.export, document)
    return None


def _find_listmonk(files: _Files) -> Read | None:
    for _, document in files.documents():
        if campaigns := listmonk.find_campaigns(document):
            return partial(listmonk.read_listmonk, files.export, campaigns)
    return None


def _find_wordpress(files: _Files) -> Read | None:
    for path in files.named(".xml", ".wxr"):
        if wordpress.is_wordpress(files.head(path)):
            return partial(wordpress.read_wordpress, Part(files.export, path))
    return None


def _find_markdown(files: _Files) -> Read | None:
    export = files.export
    # A single file may as well be an issue of ours, which needs no import.
    is_it = folder.is_folder(export) and (files.is_wanted or not files.is_one)
    return partial(folder.read_folder, export) if is_it else None


# In this order: what says most of itself first.
_FINDERS: tuple[tuple[str, Callable[[_Files], Read | None]], ...] = (
    ("substack", _find_substack),
    ("buttondown", _find_buttondown),
    ("ghost", _find_ghost),
    ("listmonk", _find_listmonk),
    ("beehiiv", _find_beehiiv),
    ("wordpress", _find_wordpress),
    ("mailchimp", _find_mailchimp),
    ("markdown", _find_markdown),
)
