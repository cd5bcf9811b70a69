"""No template leads to a path that is not at the publication's place."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[3] / "templates" / "console"
_ADDRESS = re.compile(
    r'\b(?:href|src|srcset|action|formaction|poster|data-(?:plan|progress|preview))="([^"]*)'
)
# What leads on from where one is, or elsewhere altogether; and what has its root from Python.
_FREE = ("#", "?", "https:", "http:", "data:", "mailto:", "{{ shell.asset(", "{{ stylesheet }}")
# Between publications.
_ACROSS = {("base.html", "{{ door.path }}"), ("publications.html", "{{ each.path }}")}


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_address_begins_with_the_root(path: Path) -> None:
    for address in _ADDRESS.findall(path.read_text("utf-8")):
        is_right = address.startswith(("{{ root }}/", "{{ root }}{{ ", *_FREE))
        assert is_right or (path.name, address) in _ACROSS, (
            f'{address}: write it with the root, such as href="{{{{ root }}}}/issues"'
        )


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.js")), ids=lambda path: path.name)
def test_no_script_knows_a_path(path: Path) -> None:
    """They are given addresses by the page."""
    assert not re.findall(r"""["'`]/[a-z{$]""", path.read_text("utf-8"))
