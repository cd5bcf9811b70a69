"""What the tests of readers share: publications of their own, and no waiting for a disk."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "news")


@pytest.fixture(autouse=True, scope="module")
def _no_sync() -> Iterator[None]:
    """What these tests write need not outlive the power; histories are made once for a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sync", lambda: None)
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield
