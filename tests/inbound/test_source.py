"""Where messages come back to: files, an mbox, a Maildir on disk."""

import os
from io import BytesIO
from pathlib import Path

import pytest

from publisher.errors import PublisherError
from publisher.inbound.source import MOST_OCTETS, Arrived, read_maildir, read_stream

A, B = b"Subject: a\n\nText a.\n", b"Subject: b\n\nText b.\n"


def _mbox(*messages: bytes) -> bytes:
    return b"\n".join(b"From MAILER-DAEMON Mon Dec 15 07:00:09 2025\n" + each for each in messages)


def _read(data: bytes) -> list[Arrived]:
    return list(read_stream(BytesIO(data), "it"))


def test_one_message() -> None:
    (one,) = _read(A)
    assert (one.name, one.data, one.fault) == ("it", A, "")


def test_an_mbox() -> None:
    first, second = _read(_mbox(A, B))
    assert (first.name, second.name) == ("it, message 1", "it, message 2")
    assert first.data.rstrip() == A.rstrip()
    assert second.data == B


def test_an_mbox_with_crlf_and_quoted_lines() -> None:
    quoted = b"Subject: a\r\n\r\n>From me\r\n>>From you\r\nFrom here on it is text.\r\n"
    (one,) = _read(_mbox(quoted))
    assert one.data == quoted.replace(b">From me", b"From me").replace(b">>From", b">From")


def test_a_message_alone_is_as_it_is() -> None:
    text = b"Subject: a\n\n>From me\n\nFrom ada@x.example Mon Dec 15 07:00:09 2025\nmore\n"
    (one,) = _read(text)
    assert one.data == text


def test_nothing() -> None:
    assert _read(b"") == []


def test_a_message_too_large_is_said_and_the_next_one_read() -> None:
    large = b"Subject: large\n\n" + b"x" * 900 * 1_000
    large += (b"x" * 99 + b"\n") * (MOST_OCTETS // 100)
    first, second = _read(_mbox(large, B))
    assert (first.data, "larger than 5 MB" in first.fault) == (b"", True)
    assert second.data == B
    (one,) = _read(b"x" * (MOST_OCTETS + 10))
    assert "larger" in one.fault


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def _files(maildir: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in maildir.glob("*/*"))


def test_a_maildir(maildir: Path) -> None:
    (maildir / "new" / "17.M1.host").write_bytes(A)
    (maildir / "cur" / "16.M2.host:2,F").write_bytes(B)
    (maildir / "cur" / "15.M3.host:2,RS").write_bytes(B)
    (maildir / "cur" / "14.M4.host").write_bytes(B)
    (maildir / "tmp" / "18.M5.host").write_bytes(B)
    arrived = list(read_maildir(maildir))
    names = ["new/17.M1.host", "cur/14.M4.host", "cur/16.M2.host:2,F"]
    assert [each.name for each in arrived] == names
    for each in arrived[:2]:
        each.finish()
    assert _files(maildir) == [
        "cur/14.M4.host:2,S",
        "cur/15.M3.host:2,RS",
        "cur/16.M2.host:2,F",
        "cur/17.M1.host:2,S",
        "tmp/18.M5.host",
    ]
    arrived[2].finish()
    assert list(read_maildir(maildir)) == []
    assert "cur/16.M2.host:2,FS" in _files(maildir)


def test_what_is_read_while_another_program_moves_it(maildir: Path) -> None:
    (maildir / "new" / "17.M1.host").write_bytes(A)
    (one,) = read_maildir(maildir)
    (maildir / "new" / "17.M1.host").rename(maildir / "cur" / "17.M1.host:2,")
    one.finish()
    assert _files(maildir) == ["cur/17.M1.host:2,"]


def test_what_cannot_be_read_stays(maildir: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(A)
    (maildir / "new" / "a").symlink_to(tmp_path / "secret")
    os.mkfifo(maildir / "new" / "b")
    (maildir / "new" / "c").mkdir()
    with (maildir / "new" / "d").open("wb") as file:
        file.truncate(MOST_OCTETS + 1)
    before = _files(maildir)
    arrived = list(read_maildir(maildir))
    for each in arrived:
        assert each.fault
        each.finish()
    assert len(arrived) == 4
    assert _files(maildir) == before


def test_what_is_no_maildir(tmp_path: Path) -> None:
    with pytest.raises(PublisherError, match="no Maildir"):
        list(read_maildir(tmp_path))
