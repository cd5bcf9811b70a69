"""docs/rules.md, and what the catalogue owes its readers."""

import re
from pathlib import Path
from string import Formatter

import pytest

from publisher.preflight.catalogue import RULES, Rule
from publisher.preflight.document import write_document

DOCUMENT = Path(__file__).parents[2] / "docs" / "rules.md"


def test_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == write_document(), "run `make rules`"


def test_every_rule_has_a_section_that_the_contents_lead_to() -> None:
    written = write_document()
    for rule in RULES.values():
        assert f"\n### {rule.name}\n" in written
        assert f"(#{rule.name})" in written


def test_what_is_filled_in_is_marked() -> None:
    assert "the file has ‹found› bytes, more than an issue may have (‹limit›)" in write_document()
    assert not re.search(r"\{\w+(?:!r)?\}", write_document())


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_rule_is_well_made(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", rule.name)
    assert rule.level in ("error", "warning", "info")
    assert rule.reason.endswith(".")
    assert rule.message[-1] not in ".!"
    assert rule.fix[-1] not in ".!"
    assert not rule.reference or rule.reference.startswith("https://")
    for text in (rule.message, rule.fix):
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
        assert all(name.isidentifier() for name in names)
