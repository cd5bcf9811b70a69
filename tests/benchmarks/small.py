"""What a person waits for: small commands as whole processes, imports and all."""

from pathlib import Path

from tests.benchmarks.archive import issue_stories, write_archive
from tests.benchmarks.measure import PUBLISHER, Tables, Usage, repeat, run
from tests.benchmarks.sizes import Sizes

UNCHANGED_RUNS = 20
RUNS = 10


def measure_unchanged(folder: Path, _: Sizes) -> Tables:
    """`build` where nothing changed, in a publication of one issue."""
    write_archive(folder, 1)
    run([PUBLISHER, "build"], folder)
    row = repeat(UNCHANGED_RUNS, lambda _: run([PUBLISHER, "build"], folder))
    return {"commands": {"build, nothing changed": row}}


def measure_commands(folder: Path, _: Sizes) -> Tables:
    """`--help`, `import` of a digest, `check` and `build` of one issue that was just edited."""
    write_archive(folder, 1)
    (folder / "digest.txt").write_text(_digest())

    def help_(_: int) -> Usage:
        return run([PUBLISHER, "--help"], folder)

    def check(_: int) -> Usage:
        return run([PUBLISHER, "check", _edit(folder)], folder)

    def build(_: int) -> Usage:
        _edit(folder)
        return run([PUBLISHER, "build"], folder)

    def import_(place: int) -> Usage:
        return run([PUBLISHER, "import", "digest.txt", "--date", f"2020-01-{place + 1:02}"], folder)

    actions = {
        "--help": help_,
        "import of a digest": import_,
        "check after an edit": check,
        "build after an edit": build,
    }
    return {"commands": {name: repeat(RUNS, action) for name, action in actions.items()}}


def _edit(folder: Path) -> str:
    """Add a paragraph to the issue; give its NAME."""
    (path,) = (folder / "issues").glob("1999-*.md")
    with path.open("a") as file:
        file.write(f"\nA late addition, after {path.stat().st_size:,} bytes.\n")
    return path.stem


def _digest() -> str:
    """A digest as newsrooms paste it, of five stories."""
    stories = issue_stories(1)
    lines = ["Today's Highlights:", *(f"{n}. {s.title}" for n, s in enumerate(stories, 1)), ""]
    for story in stories:
        lines += [story.title, *story.paragraphs, ""]
    return "\n".join(lines)
