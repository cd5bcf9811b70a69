"""What the tests of the site share: a publication of their own, and no waiting for a disk."""

import os
from pathlib import Path

import pytest

from tests.site.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "news")


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test writes need not outlive the power; on a busy disk syncing takes most of the time.

    Commands that tests start in processes of their own sync as ever.
    """
    monkeypatch.setattr(os, "sync", lambda: None)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
