"""What a dead process had begun, read by the next one."""

import os
from pathlib import Path

import pytest

from publisher.runtime import board
from publisher.runtime.board import Board, read_begun
from publisher.runtime.lock import try_lock
from publisher.store.place_file import FilePlace


@pytest.fixture
def descriptor(tmp_path: Path) -> int:
    return os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)


def test_each_place_holds_the_last_delivery_begun(descriptor: int) -> None:
    places = Board(descriptor, 3)
    assert read_begun(descriptor) == set()
    places.note(0, 7)
    places.note(2, 2**40)
    places.note(0, 8)
    assert read_begun(descriptor) == {8, 2**40}


def test_a_new_board_begins_anew_with_any_number_of_places(descriptor: int) -> None:
    Board(descriptor, 8).note(7, 5)
    Board(descriptor, 2)
    assert read_begun(descriptor) == set()


def test_after_the_machine_went_down_nobody_knows(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Board(descriptor, 2).note(0, 7)
    boot = tmp_path / "boot"
    boot.write_text("another boot\n")
    monkeypatch.setattr(board, "_BOOT", boot)
    assert read_begun(descriptor) is None


def test_a_file_without_a_board_tells_nothing(descriptor: int) -> None:
    os.write(descriptor, b"0123456789abcdef")
    assert read_begun(descriptor) is None


def test_the_mark_and_the_board_share_the_lock_s_file(tmp_path: Path) -> None:
    database = FilePlace(tmp_path / "publisher.db")
    lock = try_lock(database)
    assert lock is not None
    assert try_lock(database) is None
    lock.mark("0123456789abcdef")
    places = lock.make_board(4)
    assert places is not None
    places.note(1, 99)
    lock.mark("fedcba9876543210")
    assert lock.read_begun() == {99}
    lock.release()
    again = try_lock(database)
    assert again is not None, "it is free, though its board is still held here"
    assert places is not None
    assert again.read_begun() == {99}
    again.release()
