"""What a dead process had begun, read by the next one."""

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from publisher.model.delivery import Outcome, Reply
from publisher.runtime import board
from publisher.runtime.board import Begun, Board, read_begun
from publisher.runtime.lock import try_lock
from publisher.store.place_file import FilePlace


@pytest.fixture
def descriptor(tmp_path: Path) -> int:
    return os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)


def accepted(text: str = "queued as 4F2A") -> Outcome:
    return Outcome(kind="accepted", stage="final_dot", reply=Reply(250, "2.0.0", text))


def test_each_place_holds_the_last_delivery_begun(descriptor: int) -> None:
    places = Board(descriptor, 3)
    assert read_begun(descriptor) == {}
    places.begin(0, 7)
    places.begin(2, 2**40)
    places.begin(0, 8)
    assert read_begun(descriptor) == {8: None, 2**40: None}


def test_what_the_relay_said_is_there_and_what_was_refused_was_not_sent(descriptor: int) -> None:
    places = Board(descriptor, 4)
    for place in range(4):
        places.begin(place, 10 + place)
    places.end(0, accepted())
    refused = Reply(554, "5.7.1", "no")
    places.end(1, Outcome(kind="permanent", stage="final_dot", reply=refused))
    places.end(2, Outcome(kind="unknown", stage="final_dot", reply=Reply(0)))
    assert read_begun(descriptor) == {10: accepted().reply, 12: None, 13: None}
    places.begin(0, 20)
    assert read_begun(descriptor) == {20: None, 12: None, 13: None}


def test_of_a_delivery_with_two_places_what_was_said_counts(descriptor: int) -> None:
    """It was tried once more, and its first place is nobody else's yet."""
    places = Board(descriptor, 3)
    for place in (0, 1, 2):
        places.begin(place, 7)
    places.end(1, accepted())
    assert read_begun(descriptor) == {7: accepted().reply}


@pytest.mark.parametrize("letter", ["x", "\u5831", "\U0001f4f0"])
def test_a_reply_of_any_length_has_room(descriptor: int, letter: str) -> None:
    places = Board(descriptor, 3)
    for place in range(3):
        places.begin(place, place + 1)
        places.end(place, accepted(letter * (300, 500, 116)[place]))
    begun = read_begun(descriptor)
    assert begun is not None
    assert [each is not None and set(each.text) for each in begun.values()] == [{letter}] * 3
    assert begun[3] == accepted(letter * 116).reply


class Torn:
    """Memory that is written byte by byte; `after` is called after each."""

    def __init__(self, data: bytes, after: Callable[[bytes], None]) -> None:
        self.data, self.after = bytearray(data), after

    def __setitem__(self, where: int | slice, value: int | bytes) -> None:
        start = where.start if isinstance(where, slice) else where
        for place, byte in enumerate(bytes([value]) if isinstance(value, int) else value, start):
            self.data[place] = byte
            self.after(bytes(self.data))


def test_killed_between_any_two_bytes_nothing_that_was_not_sent_seems_accepted(
    descriptor: int,
) -> None:
    places, seen = Board(descriptor, 1), list[Begun]()

    def look(data: bytes) -> None:
        os.pwrite(descriptor, data, 0)
        begun = read_begun(descriptor)
        assert begun is not None
        seen.append(begun)

    memory = Torn(os.pread(descriptor, 10_000, 0), look)
    places._memory = memory  # type: ignore[assignment]
    said = accepted()
    for delivery in (0x0102, 0x0201, 0x01020304):
        places.begin(0, delivery)
        assert seen[-1] == {delivery: None}
        places.end(0, said)
        assert seen[-1] == {delivery: said.reply}
        said = accepted(f"{said.reply.text} and longer")
    taken = [{id for id, reply in begun.items() if reply is not None} for begun in seen]
    assert set().union(*taken) == {0x0102, 0x0201, 0x01020304}
    for before, now in pairwise(taken):
        assert not now or not before or now == before, "one after the other, with none between"


def test_what_cannot_be_read_in_a_place_is_a_doubt(descriptor: int) -> None:
    places = Board(descriptor, 1)
    places.begin(0, 7)
    places.end(0, accepted())
    os.pwrite(descriptor, b"\xff" * 8, 64 + 40 + 11)
    assert read_begun(descriptor) == {7: None}


def test_a_new_board_begins_anew_with_any_number_of_places(descriptor: int) -> None:
    Board(descriptor, 8).begin(7, 5)
    Board(descriptor, 2)
    assert read_begun(descriptor) == {}


def test_after_the_machine_went_down_nobody_knows(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Board(descriptor, 2).begin(0, 7)
    boot = tmp_path / "boot"
    boot.write_text("another boot\n")
    monkeypatch.setattr(board, "_BOOT", boot)
    assert read_begun(descriptor) is None


def test_a_file_without_a_board_tells_nothing(descriptor: int) -> None:
    os.write(descriptor, b"0123456789abcdef")
    assert read_begun(descriptor) is None


def test_a_board_of_another_version_tells_nothing(descriptor: int) -> None:
    """The first one had eight bytes for each connection, and nothing but zeros behind the boot."""
    Board(descriptor, 2).begin(0, 7)
    os.pwrite(descriptor, bytes(4), 64 + 36)
    assert read_begun(descriptor) is None


def test_the_mark_and_the_board_share_the_lock_s_file(tmp_path: Path) -> None:
    database = FilePlace(tmp_path / "publisher.db")
    lock = try_lock(database)
    assert lock is not None
    assert try_lock(database) is None
    lock.mark("0123456789abcdef")
    places = lock.make_board(4)
    assert places is not None
    places.begin(1, 99)
    lock.mark("fedcba9876543210")
    assert lock.read_begun() == {99: None}
    lock.release()
    again = try_lock(database)
    assert again is not None, "it is free, though its board is still held here"
    assert places is not None
    assert again.read_begun() == {99: None}
    again.release()
