"""What came of an import: how many of each, and why not the others."""

import re
from collections import Counter

import msgspec

# What is kept of the rejected ones, so that a file of nothing else does not fill the memory.
MOST_REJECTED = 10_000
_SHOWN = 100
# Behind it a reason has what is of one line only, such as a date, or what is done about it.
_GIST = re.compile(r" \(|;")
_OTHERS = "other reasons"


class Rejected(msgspec.Struct, frozen=True):
    """A record that was not taken: its first line, its address cell, why, and its file."""

    line: int
    value: str
    reason: str
    file: str = ""


class ImportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an import: whose export it is, how many records it has, and what came of them.

    `system` is empty where it is none of those that are known; `note` is what has to be known of
    its kind, or why the file was left alone.
    """

    name: str
    system: str = ""
    read: int = 0
    added: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: int = 0
    note: str = ""


class Imported(msgspec.Struct, frozen=True):
    """What came of an import. `rejected` are the first MOST_REJECTED of `rejected_total`.

    `read` is the sum of the four counts; `skipped_because` says why nothing was to be done;
    `rejected_because` counts the rejected ones by the gist of their reasons; `became` counts who
    was added or changed by what they are now, and new suppressions.
    """

    added: int
    updated: int
    skipped: int
    rejected: tuple[Rejected, ...]
    rejected_total: int
    read: int = 0
    skipped_because: dict[str, int] = {}
    rejected_because: dict[str, int] = {}
    became: dict[str, int] = {}
    files: tuple[ImportedFile, ...] = ()


def add_files(imported: Imported, files: tuple[ImportedFile, ...]) -> Imported:
    """The same, with files that were left alone."""
    return msgspec.structs.replace(imported, files=imported.files + files)


class Tally:
    """The counts of an import, while it goes on."""

    def __init__(self) -> None:
        self.added = 0
        self.updated = 0
        self.skipped: Counter[str] = Counter()
        self.became: Counter[str] = Counter()
        self.rejected: list[Rejected] = []
        self.rejected_total = 0
        self.because: Counter[str] = Counter()
        self.files: list[ImportedFile] = []
        self._file = ImportedFile(name="")
        self._before = self._counts()

    def begin(self, name: str, system: str, note: str) -> None:
        """Begin another file."""
        self._file = ImportedFile(name=name, system=system, note=note)
        self._before = self._counts()

    def end(self) -> None:
        """End the file that was begun last."""
        counts = [now - before for now, before in zip(self._counts(), self._before, strict=True)]
        added, updated, skipped, rejected = counts
        self.files.append(
            msgspec.structs.replace(
                self._file,
                read=sum(counts),
                added=added,
                updated=updated,
                skipped=skipped,
                rejected=rejected,
            )
        )

    def reject(self, line: int, value: str, reason: str, gist: str = "") -> None:
        """Count a record that is not taken, among those of the same gist."""
        self.rejected_total += 1
        gist = gist or _GIST.split(reason)[0]
        has_place = gist in self.because or len(self.because) < _SHOWN
        self.because[gist if has_place else _OTHERS] += 1
        if len(self.rejected) < MOST_REJECTED:
            self.rejected.append(Rejected(line, _shorten(value), reason, self._file.name))

    def skip(self, because: str) -> None:
        self.skipped[because] += 1

    def sum_up(self) -> Imported:
        added, updated, skipped, rejected = self._counts()
        return Imported(
            added=added,
            updated=updated,
            skipped=skipped,
            rejected=tuple(self.rejected),
            rejected_total=rejected,
            read=added + updated + skipped + rejected,
            skipped_because=dict(sorted(self.skipped.items())),
            rejected_because=dict(self.because.most_common()),
            became=dict(sorted(self.became.items())),
            files=tuple(self.files),
        )

    def _counts(self) -> tuple[int, int, int, int]:
        return self.added, self.updated, self.skipped.total(), self.rejected_total


def _shorten(value: str) -> str:
    """A cell as it can be shown: without what would not print, and not long."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in value[: _SHOWN + 1])
    return f"{shown[:_SHOWN]}…" if len(value) > _SHOWN else shown
