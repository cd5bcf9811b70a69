"""What the tests of the site share: a publication of their own."""

from pathlib import Path

import pytest

from tests.site.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "news")
