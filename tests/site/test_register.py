"""The register: its lines in any order, twice, torn or in conflict; and how it is written."""

import errno
import random
import resource
import shutil
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.site.register import PATH, append_register, parse_register, read_register
from publisher.site.withdraw import withdraw
from tests.site.world import World

PUBLICATION = "tag:daily.example,2025:test"


def live_through_much(world: World) -> list[bytes]:
    """Publish, edit, rename, move and withdraw; give the register's lines."""
    two = "## One {#one}\n\nText.\n\n## Two {#two}\n\nText.\n"
    world.issue("2026-01-05", two, date="2026-01-05T07:00:00Z")
    world.issue("2026-01-06", date="2026-01-06T07:00:00Z")
    world.build()
    world.now += timedelta(days=1)
    world.replace("issues/2026-01-05.md", "Text.", "Better text.")
    world.build()
    (world.folder / "issues/2026-01-05.md").rename(world.folder / "issues/a-name.md")
    world.now += timedelta(days=1)
    world.build()
    world.replace("issues/a-name.md", "## Two {#two}\n\nBetter text.\n", "")
    body = "## Only {#h2026-01-06}\n\nText of 2026-01-06.\n\n## Two {#two}\n\nBetter text.\n"
    world.issue("2026-01-06", body, date="2026-01-06T07:00:00Z")
    world.now += timedelta(days=1)
    world.build()
    withdraw(world.folder, world.settings, "one", "an error", world.now)
    world.build()
    return world.register().splitlines()


def test_lines_in_any_order_and_twice_are_the_same_register(world: World) -> None:
    lines = live_through_much(world)
    expected, problems = parse_register(b"\n".join(lines))
    assert not problems
    assert len(lines) > 8
    chance = random.Random(7)
    for _ in range(200):
        mixed = chance.sample(lines, len(lines)) + chance.choices(lines, k=3)
        assert parse_register(b"\n".join(mixed)) == (expected, ())


def test_what_much_came_to(world: World) -> None:
    live_through_much(world)
    records = read_register(world.folder)[0].records
    assert records["i2026-01-05"].slug == "a-name"
    assert records["two"].issue == "i2026-01-06"
    assert records["one"].withdrawn == world.now
    assert records["one"].reason == "an error"
    assert [id_ for id_, record in records.items() if record.withdrawn] == ["one"]


def test_a_clone_of_much_adds_nothing(world: World, tmp_path: Path) -> None:
    live_through_much(world)
    clone = world.committed_copy(tmp_path / "clone")
    clone.now += timedelta(days=3)
    clone.build()
    assert clone.register() == world.register()
    assert clone.files() == world.files()


def test_a_new_name_before_the_old_one_in_the_alphabet_is_recorded_once(
    world: World, tmp_path: Path
) -> None:
    world.issue("2026-01-05", date="2026-01-05T07:00:00Z")
    world.build()
    (world.folder / "issues/2026-01-05.md").rename(world.folder / "issues/2026-01-02.md")
    world.build()
    clone = world.committed_copy(tmp_path / "clone")
    clone.build()
    assert clone.register() == world.register()
    assert read_register(world.folder)[0].records["i2026-01-05"].slug == "2026-01-02"


def test_two_branches_merged_either_way_are_the_same_site(world: World, tmp_path: Path) -> None:
    world.issue("2026-01-05", "## A {#a}\n\nText.\n\n## B {#b}\n\nText.\n")
    world.build()
    ours, theirs = (world.committed_copy(tmp_path / name) for name in ("ours", "theirs"))
    ours.issue("2026-01-06")
    ours.replace("issues/2026-01-05.md", "## A", "## Aa")
    ours.now += timedelta(hours=1)
    ours.build()
    theirs.issue("2026-01-07")
    theirs.replace("issues/2026-01-05.md", "## B", "## Bb")
    theirs.now += timedelta(hours=2)
    theirs.build()

    old = world.register()
    added = [branch.register().removeprefix(old) for branch in (ours, theirs)]
    merged = []
    for name, lines in (("one", added), ("other", added[::-1])):
        both = ours.committed_copy(tmp_path / name)
        both.write("issues/2026-01-07.md", (theirs.folder / "issues/2026-01-07.md").read_bytes())
        both.replace("issues/2026-01-05.md", "## B", "## Bb")
        both.write(PATH, old + b"".join(lines))
        both.now += timedelta(hours=5)
        assert not both.build().is_refused
        merged.append(both)
    one, other = merged
    assert one.files() == other.files()
    assert sorted(one.register().splitlines()) == sorted(other.register().splitlines())
    # The issue is what neither branch had: its new state, and nothing else, is recorded.
    assert one.register().count(b"\n") == (old + b"".join(added)).count(b"\n") + 1


def test_conflict_markers_are_named_with_their_lines(world: World) -> None:
    world.issue("2026-01-05")
    world.build()
    before = world.files()
    header, *rest = world.register().splitlines(keepends=True)
    conflict = [header, b"<<<<<<< HEAD\n", rest[0], b"=======\n", rest[1], b">>>>>>> other\n"]
    world.write(PATH, b"".join(conflict))
    report = world.build()
    assert report.is_refused
    found = [(p.rule, p.file, p.line) for p in report.problems]
    assert found == [("register-unreadable", PATH, line) for line in (2, 4, 6)]
    assert world.files() == before
    world.write(PATH, header + b"".join(rest))
    assert not world.build().is_refused


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"id":"x"}',
        b'{"id":"x","kind":"post","published":"2026-01-05T00:00:00Z"}',
        # Without an offset a time is none that can be compared.
        b'{"id":"x","kind":"issue","published":"2026-01-05T00:00:00","updated":'
        b'"2026-01-05T00:00:00Z","hash":""}',
    ],
)
def test_a_line_that_is_no_record_is_named(line: bytes) -> None:
    _, problems = parse_register(b'{"publication":"a"}\n' + line + b"\n")
    assert [(p.rule, p.line) for p in problems] == [("register-unreadable", 2)]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    _, problems = parse_register(data)
    assert all(problem.rule == "register-unreadable" for problem in problems)


def test_line_ends_of_windows_and_blank_lines_are_let_be(world: World) -> None:
    world.issue("2026-01-05")
    world.build()
    expected = read_register(world.folder)
    world.write(PATH, b"\r\n" + world.register().replace(b"\n", b"\r\n\r\n"))
    assert read_register(world.folder) == expected


def test_a_torn_last_line_is_as_if_it_were_not_there(world: World, tmp_path: Path) -> None:
    world.issue("2026-01-05")
    world.build()
    whole = world.register()
    for torn in (whole[:-1].rpartition(b"\n")[2][:-9], b'{"id":"torn","ki', b"\xff"):
        clone = world.committed_copy(tmp_path / "clone")
        clone.write(PATH, whole + torn)
        clone.issue("2026-01-06")
        assert not clone.build().is_refused
        assert clone.register().startswith(whole)
        lines = clone.register().splitlines()
        assert all(msgspec.json.decode(line) for line in lines)
        assert len(lines) == 5
        assert clone.register().endswith(b"\n")
        # A cut first publication is recorded again, to the byte.
        clone.write(PATH, whole[: whole.rindex(b'{"id":"h')] + torn)
        clone.build()
        assert read_register(clone.folder)[0].records.keys() >= {"h2026-01-05", "h2026-01-06"}
        shutil.rmtree(clone.folder)


def test_a_last_line_without_its_end_is_kept_whole(world: World) -> None:
    world.issue("2026-01-05")
    world.build()
    before = world.register()
    world.write(PATH, before.removesuffix(b"\n"))
    world.issue("2026-01-06")
    world.build()
    assert world.register().startswith(before)
    assert len(world.register().splitlines()) == 5


def test_the_first_line_tells_whose_register_it_is(world: World) -> None:
    world.issue("2026-01-05")
    world.build()
    assert world.register().splitlines()[0] == b'{"publication":"%s"}' % PUBLICATION.encode()


def test_a_full_disk_leaves_the_register_as_it_was(world: World) -> None:
    world.issue("2026-01-05")
    world.build()
    before = world.register()
    records = read_register(world.folder)[0].records.values()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(OSError, match="large") as caught:
            append_register(world.folder, PUBLICATION, records)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == PATH
    assert world.register() == before


def test_a_link_in_its_place_is_neither_read_nor_written(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_bytes(b"")
    (world.folder / PATH).symlink_to(outside)
    world.issue("2026-01-05")
    with pytest.raises(OSError, match="it is a link"):
        world.build()
    assert outside.read_bytes() == b""


def test_a_register_that_is_gone_is_made_again(world: World) -> None:
    world.issue("2026-01-05", "## A {#a}\n\nText.\n\n## B {#b}\n\nText.\n")
    world.build()
    register, files = world.register(), world.files()
    (world.folder / PATH).unlink()
    world.now += timedelta(days=2)
    world.build()
    assert world.register() == register
    assert world.files() == files
