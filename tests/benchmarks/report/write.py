"""The document and its plots, as files of docs/."""

from pathlib import Path

from tests.benchmarks.report.document import IMAGES, write_document
from tests.benchmarks.report.plots import draw
from tests.benchmarks.report.told import SECTIONS
from tests.benchmarks.results import Results


def make_report(results: Results) -> dict[str, str]:
    """All files by their path in docs/."""
    files = {"performance.md": write_document(results)}
    for section in SECTIONS:
        part = results.get(section.part)
        for plot in section.plots if part else ():
            if part and part.tables.get(plot.table):
                files[f"{IMAGES}/{plot.file}.svg"] = draw(plot, part.tables)
    return files


def write_report(results: Results, docs: Path) -> None:
    """Write them; plots that there are no more go."""
    files = make_report(results)
    (docs / IMAGES).mkdir(parents=True, exist_ok=True)
    for path in (docs / IMAGES).iterdir():
        if f"{IMAGES}/{path.name}" not in files:
            path.unlink()
    for name, text in files.items():
        (docs / name).write_text(text, "utf-8")
