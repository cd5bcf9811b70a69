"""Building only what changed gives the same bytes as building everything from committed files."""

import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from publisher.errors import PublisherError
from publisher.site import order, plan, tasks
from publisher.site.withdraw import withdraw
from tests.site.searching import everything
from tests.site.world import World

TAGS = ("film", "stage", "music")
# Two years' ends, two months' ends, and days close together: where lists and documents split.
DAYS = ("2024-12-30", "2025-01-02", "2025-01-31", "2025-02-01", "2025-02-14", "2026-02-20")


class Draft:
    """What the editor has written of one issue."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.id = f"i{number}"
        self.date = f"{name}T07:00:00+01:00"
        self.title = f"Issue {number}"
        self.status = "ready"
        self.highlights = [[f"h{number}-{k}", f"Story {k}", TAGS[k % 3], "Text."] for k in range(3)]

    def text(self) -> str:
        parts = [
            f"---\nid: {self.id}\ntitle: {self.title}\ndate: {self.date}\n"
            f"status: {self.status}\n---\n"
        ]
        for id_, title, tag, body in self.highlights:
            parts.append(f"## {title} {{#{id_} .{tag}}}\n\n{body}\n")
        return "\n".join(parts)


class Editing(RuleBasedStateMachine):
    """An editor at work; after every build the site is compared with one made from nothing."""

    @initialize()
    def begin(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.world = World(Path(self.temporary.name) / "news")
        self.drafts: list[Draft] = []
        self.count = 0
        self.copies = 0
        self.is_built = False

    def teardown(self) -> None:
        self.temporary.cleanup()

    def save(self, draft: Draft) -> None:
        self.world.write(f"issues/{draft.name}.md", draft.text())
        self.is_built = False

    @rule(day=st.sampled_from(DAYS), offset=st.integers(0, 3))
    def add(self, day: str, offset: int) -> None:
        name = f"{day[:8]}{int(day[8:]) + (-offset if int(day[8:]) > 20 else offset):02d}"
        if any(draft.name == name for draft in self.drafts):
            return
        self.count += 1
        self.drafts.append(Draft(name, self.count))
        self.save(self.drafts[-1])

    @precondition(lambda self: self.drafts)
    @rule(data=st.data(), what=st.sampled_from(("title", "body", "tag", "order", "more", "date")))
    def edit(self, data: st.DataObject, what: str) -> None:
        draft = data.draw(st.sampled_from(self.drafts))
        highlight = data.draw(st.sampled_from(draft.highlights))
        match what:
            case "title":
                draft.title += "!"
            case "body":
                highlight[3] += " More."
            case "tag":
                highlight[2] = data.draw(st.sampled_from(TAGS))
            case "order":
                draft.highlights.reverse()
            case "more":
                self.count += 1
                draft.highlights.append([f"h{self.count}-x", "Late story", "film", "Late."])
            case "date":
                draft.date = data.draw(st.sampled_from(DAYS)) + "T09:00:00+01:00"
        self.save(draft)

    @precondition(lambda self: self.drafts)
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        draft = data.draw(st.sampled_from(self.drafts))
        (self.world.folder / f"issues/{draft.name}.md").unlink()
        draft.name = data.draw(st.sampled_from(("renamed", "again", "back"))) + f"-{draft.id}"
        self.save(draft)

    @precondition(lambda self: self.drafts and self.is_built)
    @rule(data=st.data(), is_whole=st.booleans())
    def take_back(self, data: st.DataObject, is_whole: bool) -> None:
        draft = data.draw(st.sampled_from(self.drafts))
        id_ = draft.id if is_whole else data.draw(st.sampled_from(draft.highlights))[0]
        withdraw(self.world.folder, self.world.settings, id_, "a mistake", self.world.now)
        self.is_built = False

    @precondition(lambda self: self.drafts and self.is_built)
    @rule(data=st.data(), is_one=st.booleans(), is_new=st.booleans())
    def correct(self, data: st.DataObject, is_one: bool, is_new: bool) -> None:
        draft = data.draw(st.sampled_from(self.drafts))
        highlight = data.draw(st.sampled_from(draft.highlights))
        if is_new:
            highlight[3] += " Mended."
            self.save(draft)
        named = (highlight[0],) if is_one else ()
        with suppress(PublisherError):  # nothing was changed in it, or it was withdrawn
            self.world.correct(draft.name, f"note {self.world.now}", *named)
            self.is_built = True

    @rule(path=st.sampled_from(("index.html", "feed.atom", "tags/film/index.html")))
    def lose_a_file(self, path: str) -> None:
        (self.world.public / path).unlink(missing_ok=True)
        self.is_built = False

    @rule(days=st.integers(0, 40))
    def wait(self, days: int) -> None:
        self.world.now += timedelta(days=days, seconds=1)
        self.is_built = False

    @rule()
    def build(self) -> None:
        report = self.world.build()
        assert not report.is_refused, report.problems
        self.is_built = True

    @invariant()
    def is_like_new(self) -> None:
        if not getattr(self, "is_built", False):
            return
        self.copies += 1
        copy = self.world.committed_copy(Path(self.temporary.name) / f"copy{self.copies}")
        copy.build()
        assert copy.register() == self.world.register()
        assert copy.history() == self.world.history()
        ours, theirs = self.world.files(), copy.files()
        assert sorted(ours) == sorted(theirs)
        assert [path for path in ours if ours[path] != theirs[path]] == []
        assert everything(self.world) == everything(copy)


def run(monkeypatch: pytest.MonkeyPatch, examples: int, steps: int) -> None:
    # Small pages, so that a few highlights fill several.
    for module in (order, plan, tasks):
        monkeypatch.setattr(module, "TAG_PAGE", 3)
    monkeypatch.setattr(order, "_SITEMAP_URLS", 12)
    Editing.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    Editing.TestCase("runTest").runTest()


def test_an_edited_archive_is_like_new(monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, examples=8, steps=14)


@pytest.mark.long
def test_a_much_edited_archive_is_like_new(monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, examples=150, steps=40)
