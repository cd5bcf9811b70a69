"""A database that is restored, copied or put back sends nothing until somebody arms it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.delivery.post import NAME, Post

ADA, BEN = "ada@reader.example", "ben@leser.example"
SECOND = "2025-12-16"


def _copy_over(post: Post, copy: Path) -> None:
    shutil.copyfile(copy, post.folder / "publisher.db")


def _move_over(post: Post, copy: Path) -> None:
    copy.rename(post.folder / "publisher.db")


def _restore(post: Post, copy: Path) -> None:
    assert post.cli("restore", str(copy)).status == 0


@pytest.mark.sqlite
@pytest.mark.parametrize("bring_back", [_copy_over, _move_over, _restore])
def test_an_older_state_sends_nothing_again(
    post: Post, tmp_path: Path, bring_back: Callable[[Post, Path], None]
) -> None:
    post.subscribe([ADA, BEN])
    copy = tmp_path / "older.db"
    shutil.copyfile(post.folder / "publisher.db", copy)
    assert post.send().status == 0
    bring_back(post, copy)
    refused = post.send()
    assert refused.status == 2
    assert "publisher arm" in refused.err
    assert post.cli("run", "--once").status == 2
    assert post.arrived() == {ADA: 1, BEN: 1}
    assert post.cli("arm").status == 0
    assert post.send().status == 0
    assert post.arrived() == {ADA: 2, BEN: 2}


@pytest.mark.sqlite
def test_a_copied_folder_sends_nothing(post: Post, tmp_path: Path) -> None:
    post.subscribe([ADA])
    post.send()
    copy = tmp_path / "copy"
    shutil.copytree(post.folder, copy)
    post.cli.folder = post.process.folder = copy
    post.cli.issue(SECOND)
    refused = post.cli("send", SECOND, "--yes")
    assert refused.status == 2
    assert "is a copy" in refused.err
    assert post.arrived() == {ADA: 1}


def test_a_trial_message_is_not_kept_until_it_is_armed(post: Post, tmp_path: Path) -> None:
    copy = tmp_path / "backup.db"
    assert post.cli("backup", str(copy)).status == 0
    _restore(post, copy)
    assert post.cli("send", NAME, "--test", ADA).status == 2
    assert post.cli("arm").status == 0
    assert post.cli("run", "--once").status == 0
    assert post.arrived() == {}


@pytest.mark.sqlite
def test_a_new_database_in_the_place_of_one_that_was_removed_sends(post: Post) -> None:
    post.subscribe([ADA])
    post.send()
    for path in post.folder.glob("publisher.db"):
        path.unlink()
    post.subscribe([BEN])
    assert post.send().status == 0
    assert post.arrived() == {ADA: 1, BEN: 1}


def test_nothing_is_restored_while_another_process_has_the_database(
    post: Post, tmp_path: Path
) -> None:
    post.configure(f"[web]\nport = {post.free_port()}")
    copy = tmp_path / "backup.db"
    assert post.cli("backup", str(copy)).status == 0
    serving = post.start("serve")
    assert serving.stdout is not None
    assert b"http" in serving.stdout.readline()
    refused = post.cli("restore", str(copy))
    serving.terminate()
    serving.wait(20)
    assert refused.status == 2
    assert "stop it" in refused.err
    assert post.cli("restore", str(copy)).status == 0
