"""Exporting: a CSV that loses nothing when it is imported again."""

import csv
import stat
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.audience.address import AddressError, parse_name
from publisher.audience.exporting import write_private
from publisher.intake.fields import make_tag
from publisher.model.choices import Choices
from tests.audience.readers import NOON, Readers
from tests.audience.test_importing import _remove, _suppress


def _cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(data.decode(), newline=""), strict=True))


def test_what_it_looks_like(readers: Readers) -> None:
    readers.bring("email,name\na@x.example,Anna\n+b@bücher.example,=B\n", "old.csv", at=NOON)
    _remove(readers, "a@x.example")
    _suppress(readers, "+b@bücher.example", "bounce")
    data = readers.export()
    assert data.count(b"\r\n") == data.count(b"\n") == 3
    assert _cells(data) == [
        [
            "email",
            "name",
            "status",
            "suppressed",
            "subscribed_at",
            "consent",
            "language",
            "paused_until",
            *("content", "tags", "frequency"),
        ],
        [
            *("a@x.example", "Anna", "unsubscribed", "", "2026-01-02T12:00:00Z"),
            "2026-01-02T12:00:00Z vouched import old.csv; 2026-01-02T12:00:00Z unsubscribed link",
            *("", "", "full", "", "daily"),
        ],
        [
            *("'+b@bücher.example", "'=B", "confirmed", "bounce", "2026-01-02T12:00:00Z"),
            "2026-01-02T12:00:00Z vouched import old.csv",
            *("", "", "full", "", "daily"),
        ],
    ]


def test_an_empty_list(readers: Readers) -> None:
    header = b"email,name,status,suppressed,subscribed_at,consent,language,paused_until"
    assert readers.export() == header + b",content,tags,frequency\r\n"


def test_more_than_a_page(readers: Readers) -> None:
    readers.bring("email\n" + "".join(f"r{n}@x.example\n" for n in range(2_500)))
    cells = _cells(readers.export())[1:]
    assert [row[0] for row in cells] == [f"r{n}@x.example" for n in range(2_500)]


def _four(data: bytes) -> list[list[str]]:
    return [row[:4] for row in _cells(data)]


_COUNTER = iter(range(10**9))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text("ab'=+-@;,\" \té用\u200b", max_size=12), max_size=8))
def test_a_round_trip_loses_nothing(tmp_path: Path, names: list[str]) -> None:
    first, second = (tmp_path / f"{next(_COUNTER)}" for _ in range(2))
    first.mkdir()
    second.mkdir()
    one, two = Readers(first), Readers(second)
    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["email", "name"])
    for number, name in enumerate(names):
        writer.writerow([f"{'+-=/'[number % 4]}{number}@x.example", f"x{name}"])
    one.bring(file.getvalue())
    # Names that begin with what is guarded come in by a form, and not by a file.
    for reader, name in zip(one.all(), names, strict=False):
        _rename(one, reader.id, name)
    if one.all():
        _remove(one, one.all()[0].email)
        _suppress(one, one.all()[-1].email, "complaint")
    exported = one.export()
    two.bring(exported)
    assert _four(two.export()) == _four(exported)
    assert two.plain() == one.plain()
    again = two.bring(exported)
    assert (again.added, again.updated) == (0, 0)
    one.database.close()
    two.database.close()


def _rename(readers: Readers, subscriber: int, name: str) -> None:
    from publisher.store.subscribers import rename

    try:
        kept = parse_name(name)
    except AddressError:
        return
    with readers.database.write() as connection:
        rename(connection, readers.database.publication, subscriber, kept, NOON)


def test_a_file_is_private_and_whole(tmp_path: Path) -> None:
    target = tmp_path / "readers.csv"
    assert write_private(target, [b"one", b"two"]) == 6
    assert target.read_bytes() == b"onetwo"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600

    def break_off() -> object:
        yield b"half"
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_private(target, break_off())  # type: ignore[arg-type]
    assert target.read_bytes() == b"onetwo"
    assert [path.name for path in tmp_path.iterdir()] == ["readers.csv"]


def test_language_and_pause_come_back(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one, other = Readers(tmp_path / "one"), Readers(tmp_path / "other")
    one.bring(
        "email,language,paused_until\na@x.example,ZH,2026-05-01T08:00:00+02:00\n"
        "b@x.example,Chinese,soon\nc@x.example,../etc,2026-05-01T08:00:00\n"
    )
    other.bring(one.export())
    expected = datetime(2026, 5, 1, 6, tzinfo=UTC)
    for readers in (one, other):
        found = [(each.language, each.paused_until) for each in readers.all()]
        assert found == [("zh", expected), ("", None), ("", None)]
        readers.database.close()


def test_what_they_chose_comes_back(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one, other = Readers(tmp_path / "one"), Readers(tmp_path / "other")
    brought = one.bring(
        "email,content,tags,frequency\n"
        'a@x.example,Headlines,"Economy, 电影, ECONOMY",weekly\n'
        "b@x.example,,,\n"
        "c@x.example,full,اقتصاد,daily\n"
        "d@x.example,short,,daily\n"
        "e@x.example,full,,hourly\n"
    )
    assert [(each.line, each.reason) for each in brought.rejected] == [
        (5, "the content 'short' is neither full nor headlines"),
        (6, "the frequency 'hourly' is neither daily nor weekly"),
    ]
    film, economy = make_tag("电影").slug, make_tag("اقتصاد").slug
    other.bring(one.export())
    for readers in (one, other):
        assert [each.choices for each in readers.all()] == [
            Choices(content="headlines", tags=tuple(sorted((film, "economy"))), frequency="weekly"),
            Choices(),
            Choices(tags=(economy,)),
        ]
        readers.database.close()


def test_tags_of_other_systems_are_about_other_things(readers: Readers) -> None:
    readers.bring("email,tags\na@x.example,VIP\n")
    assert readers.get("a@x.example").choices == Choices()
