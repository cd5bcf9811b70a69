"""The issues of a simulation, of which readers choose; and what they get, worked out once more."""

from collections.abc import Iterable

from publisher.audience.choosing import merge
from publisher.model.choices import Choices, Definition
from publisher.model.issue import Highlight, Issue, Tag
from publisher.rehearsal.world import Disk
from publisher.site.variants import choose
from publisher.store.variants import NewContent
from tests.simulation.expected import TAGS, Expected, Gets, Reader, require, standing

CHOICES = (
    Choices(),
    Choices(content="headlines"),
    *(Choices(tags=tags) for tags in (("a",), ("b",), ("a", "b"), ("c",))),
    Choices(content="headlines", tags=("a",)),
)


class SimulatedIssue:
    """What is made of an issue by what readers choose; its text is a sentence."""

    has_weekly = False
    issue_id = ""

    def __init__(self, text: str, version: str = "", revision: int = 0) -> None:
        self.text, self.version = text, version
        self.issue = Issue(
            slug="",
            path="",
            highlights=tuple(
                Highlight(id=id_, title="", tags=tuple(Tag(tag, tag) for tag in TAGS[id_]))
                for id_ in standing(revision)
            ),
        )

    def define(self, choices: Iterable[Choices]) -> Definition | None:
        return choose(self.issue, merge(choices))

    def make(self, definition: Definition) -> NewContent:
        ids = definition.highlights or tuple(each.id for each in self.issue.highlights)
        text = _write(self.text, definition.form, ids)
        return NewContent(version=self.version, digest=text, content=text.encode())


def _write(text: str, form: str, ids: Iterable[str]) -> str:
    return f"{text}: {form} of {' '.join(ids)}"


def sort_out(readers: Iterable[Reader]) -> dict[int | None, Gets]:
    """Who gets something of an issue, and what, by their ids; others are in none of it.

    Those who get the same are one group from then on, and what one of them chose is for all.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[Reader]] = {}
    for each in readers:
        gets = Gets(each.choices.content, frozenset(each.choices.tags))
        if shown := gets.shown(0):
            groups.setdefault((gets.form, shown), []).append(each)
    found: dict[int | None, Gets] = {}
    for (form, shown), those in groups.items():
        is_whole = (form, shown) == ("full", standing(0))
        is_wide = is_whole or any(not each.choices.tags for each in those)
        tags = frozenset() if is_wide else frozenset(t for each in those for t in each.choices.tags)
        found |= {each.id: Gets(form, tags) for each in those}
    return found


def require_contents(disk: Disk, expected: Expected) -> None:
    """Require that what was sent to each is what they were to get, word for word."""
    sql = """SELECT d.id, CASE WHEN c.id IS NULL THEN m.content ELSE c.content END
        FROM delivery AS d JOIN mailing AS m ON m.id = d.mailing
        LEFT JOIN mailing_content AS c
            ON c.mailing = d.mailing AND c.revision = d.revision AND c.variant = d.variant
        WHERE d.status = 'sent' AND m.purpose = 'issue'"""
    for id_, content in disk.run(sql):
        each = expected.deliveries[id_]
        text, gets = each.mailing.texts[each.revision], each.gets
        if gets is not None and gets != Gets():
            text = _write(text, gets.form, gets.shown(each.revision))
        require(content.decode() == text, f"delivery {id_} had {content!r} and not {text!r}")
