"""Cells that no spreadsheet takes for a formula, and that lose nothing by it."""

import re

# What makes a formula of a cell, also in the full width that East Asian spreadsheets know, where a
# cell begins: at the start, or behind a `;`, which ends a cell in much of Europe. A ' before it
# counts as part of it, so that what is put there can be told from what was there.
_BEGIN = r"""'*[\s"]*[=+\-@＝＋－＠\t\r\n]"""
_FORMULA = re.compile(rf"(\A|;)({_BEGIN})")
_GUARDED = re.compile(rf"(\A|;)'({_BEGIN})")


def guard_cell(text: str) -> str:
    """Put a ' before what would begin a formula."""
    return _FORMULA.sub(r"\1'\2", text)


def bare_cell(text: str) -> str:
    """Take away what guard_cell put there."""
    return _GUARDED.sub(r"\1\2", text) if "'" in text else text
