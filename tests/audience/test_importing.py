"""Importing: every kind of file, what comes in, what does not and why, and what is never undone."""

import csv
import random
import signal
import subprocess
import sys
import time
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from publisher.audience.address import parse_address
from publisher.audience.subscribing import subscribe, unsubscribe
from publisher.audience.tally import MOST_REJECTED
from publisher.errors import PublisherError
from publisher.model.audience import SuppressionReason
from publisher.store import schema as s
from publisher.store import suppressions
from publisher.store.subscribers import count_by_status
from tests.audience.readers import NOON, URI, Readers

LISTMONK = """\
uuid,email,name,attributes,status,created_at,updated_at
u1,anna@daily.example,Anna,"{""city"": ""Köln, am
Rhein""}",enabled,2025-01-01,2025-01-01
u2,bob@daily.example,Bob,{},blocklisted,2025-01-01,2025-01-01
u3,cleo@daily.example,Cleo,{},disabled,2025-01-01,2025-01-01
u4,dora@daily,Dora,{},enabled,2025-01-01,2025-01-01
"""
MAILCHIMP = """\
"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,{more}LEID,EUID,NOTES,TAGS
anna@daily.example,Anna,Berg,2,"2024-01-01 10:00:00",{cell}1,e1,,"""


def _rows(number: int) -> str:
    rows = "".join(f"r{n}@sample{n % 97}.example,Reader {n}\n" for n in range(number))
    return f"email,name\n{rows}"


def _remove(readers: Readers, email: str, at: datetime = NOON) -> None:
    with readers.database.write() as connection:
        unsubscribe(
            connection, readers.database.publication, readers.get(email).id, at=at, source="link"
        )


def _suppress(readers: Readers, email: str, reason: SuppressionReason) -> None:
    with readers.database.write() as connection:
        suppressions.suppress(
            connection, readers.database.publication, readers.hash(email), reason, NOON
        )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("email\na@x.example\n", ("a@x.example", "")),
        ("name,email\nAnna,a@x.example\n", ("a@x.example", "Anna")),
        ("EMAIL;Name\r\na@x.example;Anna\r\n", ("a@x.example", "Anna")),
        ("E-Mail\tFull name\na@x.example\tAnna\n", ("a@x.example", "Anna")),
        ("first_name,last_name,email_address\nAnna,Berg,a@x.example", ("a@x.example", "Anna Berg")),
        ("Name;Vorname;E-Mail\nBerg;Anna;a@x.example\n", ("a@x.example", "Anna Berg")),
        ('email,name\na@x.example,"Berg, ""A"""\n', ("a@x.example", 'Berg, "A"')),
        ("\n\nemail,name\r\ra@x.example,Anna\r", ("a@x.example", "Anna")),
        ("email,name,city\na@x.example\n,,\n", ("a@x.example", "")),
        ("\ufeffemail,name\na@x.example,电影\n", ("a@x.example", "电影")),
        ("email,name\n'+a@x.example,'=Anna\n", ("+a@x.example", "=Anna")),
        ("mail,email,name\nother,a@x.example,Anna\n", ("a@x.example", "Anna")),
    ],
)
def test_a_file_of_any_make(readers: Readers, data: str, expected: tuple[str, str]) -> None:
    done = readers.bring(data)
    assert (done.added, done.rejected) == (1, ())
    assert readers.plain() == [(*expected, "confirmed")]


def test_utf_16(readers: Readers) -> None:
    assert readers.bring("email;name\na@x.example;电影\n".encode("utf-16")).added == 1
    assert readers.plain() == [("a@x.example", "电影", "confirmed")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a@x.example\nb@x.example\n", "name the columns"),
        (b"foo,bar\n1,2\n", "no column is called `email`; there are 'foo', 'bar'"),
        (b"email,name\nj\xfcrgen@x.example,J\n", r"line 2: this is no text in UTF-8 \(byte 0xfc\)"),
        (b"email\r" + b"a@x.example\r" * 9_000 + b"\xff", "line 9002"),
        (b"email,mail,e-mail,mailaddress\n", "leave one of them"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0", "is no text"),
        (bytes(3_000_000), "line 1: the line has more than 2,000,000 characters"),
        ("email\nа@x.example".encode("utf-16-le"), "is no text"),
        (b"\xff\xfee\0m\0a\0i\0l\0\n\0\x00\xd8\n\0", "no text in UTF-16"),
        (b'email,name\na@x.example,A\n"b@x.example,B\nc@x.example,C\n', "line 3: a quotation mark"),
        (b'email,name\n"' + b"x\n" * 1_500_000, "line 2: a quotation mark"),
    ],
)
def test_a_file_that_is_refused_writes_nothing(readers: Readers, data: bytes, message: str) -> None:
    with pytest.raises(PublisherError, match=message):
        readers.bring(data)
    assert readers.all() == []


def test_late_in_a_long_file_too(readers: Readers) -> None:
    with pytest.raises(PublisherError, match="line 25002: this is no text"):
        readers.bring(_rows(25_000).encode() + b"\xe9@x.example,E\n")
    assert readers.all() == []


def test_each_line_that_is_rejected_has_its_reason(readers: Readers) -> None:
    lines = [
        "email,name",
        "good@x.example,Good",  # 2
        "bad,B",
        "a@x.example,b,c",
        '"b@x.example","two',  # 5 and 6
        'lines"',
        '"c@x.example" x,C',
        ",Nobody",
        "d\0@x.example,D",
        "e@x.example," + "N" * 201,
        "m" * 1_000_000 + ",M",
        "last@x.example,Last",  # 12
    ]
    done = readers.bring("\n".join(lines))
    assert [(one.line, one.value[:12], one.reason[:24]) for one in done.rejected] == [
        (3, "bad", "it has no @"),
        (4, "a@x.example", "the line has 3 cells, th"),
        (5, "b@x.example", "the name has control cha"),
        (7, "", "something stands behind "),
        (8, "", "there is no address"),
        (9, "d\ufffd@x.example"[:12], "it has control character"),
        (10, "e@x.example", "the name is longer than "),
        (11, "m" * 12, "it is longer than 254 ch"),
    ]
    assert all(len(one.value) <= 101 and one.value.isprintable() for one in done.rejected)
    assert [email for email, _, _ in readers.plain()] == ["good@x.example", "last@x.example"]


def test_many_rejected_lines_are_counted_and_not_all_kept(readers: Readers) -> None:
    done = readers.bring("email\n" + "bad\n" * (MOST_REJECTED + 5))
    assert len(done.rejected) == MOST_REJECTED
    assert done.rejected_total == MOST_REJECTED + 5


def test_who_is_there_is_skipped_or_renamed(readers: Readers) -> None:
    readers.bring("email,name\na@x.example,A\nb@x.example,B\n")
    done = readers.bring(
        "email,name\nA@X.example,A\nb@x.example,Bob\nb@x.example,Bill\nc@x.example,"
    )
    assert (done.added, done.updated, done.skipped, done.rejected) == (1, 1, 2, ())
    assert readers.plain() == [
        ("a@x.example", "A", "confirmed"),
        ("b@x.example", "Bob", "confirmed"),
        ("c@x.example", "", "confirmed"),
    ]
    done = readers.bring("email,name\nb@x.example,\n")
    assert (done.updated, done.skipped) == (0, 1)


def test_one_person_in_many_spellings_is_one(readers: Readers) -> None:
    done = readers.bring(
        "email\na@bücher.example\nA@BÜCHER.example\na@xn--bcher-kva.example\n a@bücher.example. \n"
    )
    assert (done.added, done.skipped) == (1, 3)


def test_people_who_left_are_never_brought_back(readers: Readers) -> None:
    readers.bring("email\na@x.example\nb@x.example\n")
    _remove(readers, "a@x.example")
    for reason, email in (("bounce", "b"), ("complaint", "c"), ("erased", "d"), ("operator", "e")):
        _suppress(readers, f"{email}@x.example", reason)  # type: ignore[arg-type]
    done = readers.bring("email,name\n" + "".join(f"{c}@x.example,New\n" for c in "abcde"))
    assert (done.added, done.updated, done.skipped) == (0, 0, 0)
    assert [one.line for one in done.rejected] == [2, 3, 4, 5, 6]
    assert done.rejected[0].reason.startswith("unsubscribed on 2026-01-02; only `publisher")
    for one, why in zip(done.rejected[1:], ("bounced", "spam", "erased", "operator"), strict=True):
        assert one.reason.startswith("suppressed since 2026-01-02 (")
        assert why in one.reason
    assert readers.plain() == [
        ("a@x.example", "", "unsubscribed"),
        ("b@x.example", "", "confirmed"),
    ]
    assert readers.get("b@x.example").is_suppressed


def test_who_left_is_not_brought_back_either_once_a_stranger_typed_their_address(
    readers: Readers,
) -> None:
    readers.bring("email\na@x.example\n")
    _remove(readers, "a@x.example")
    with readers.database.write() as connection:
        subscribe(
            connection,
            readers.database.publication,
            parse_address("a@x.example"),
            "",
            secret=readers.secret,
            ref="a" * 16,
            at=NOON,
            source="form",
            action="asked",
            is_returning=True,
        )
    for text in ("email\na@x.example\n", "email,status\na@x.example,confirmed\n"):
        done = readers.bring(text)
        assert (done.updated, len(done.rejected)) == (0, 1)
        assert done.rejected[0].reason.startswith("unsubscribed on 2026-01-02; only `publisher")
    assert readers.plain() == [("a@x.example", "", "unconfirmed")]


def test_consent_is_recorded(readers: Readers) -> None:
    readers.bring("email\na@x.example\n", "members.csv", at=NOON)
    (line,) = readers.record("a@x.example")
    assert (line.at, line.action, line.source, line.origin) == (
        NOON,
        "vouched",
        "import",
        "members.csv",
    )


def test_unconfirmed_ones_are_asked_once_and_confirmed_when_vouched_for(readers: Readers) -> None:
    asked: list[int] = []

    def ask(connection: Connection, subscriber: int) -> None:
        asked.append(subscriber)

    readers.bring("email\nold@x.example\n")
    done = readers.bring("email\na@x.example\nold@x.example\nb@x.example\n", ask=ask)
    assert (done.added, done.skipped) == (2, 1)
    assert asked == [readers.get("a@x.example").id, readers.get("b@x.example").id]
    again = readers.bring("email\na@x.example\nb@x.example\n", ask=ask)
    assert (again.skipped, len(asked)) == (2, 2)
    vouched = readers.bring("email,name\na@x.example,Anna\n")
    assert vouched.updated == 1
    assert readers.get("a@x.example").status == "confirmed"
    assert [line.action for line in readers.record("a@x.example")] == ["asked", "vouched"]


def test_asking_that_fails_leaves_nothing(readers: Readers) -> None:
    def ask(connection: Connection, subscriber: int) -> None:
        raise PublisherError("no relay")

    with pytest.raises(PublisherError, match="no relay"):
        readers.bring("email\na@x.example\n", ask=ask)
    assert readers.all() == []


def test_listmonk(readers: Readers) -> None:
    done = readers.bring(LISTMONK)
    assert (done.added, done.updated, done.skipped) == (1, 0, 0)
    assert [(one.line, one.value) for one in done.rejected] == [
        (4, "bob@daily.example"),
        (5, "cleo@daily.example"),
        (6, "dora@daily"),
    ]
    assert "blocklisted there" in done.rejected[0].reason
    assert readers.plain() == [("anna@daily.example", "Anna", "confirmed")]
    again = readers.bring("email\nbob@daily.example\n")
    assert again.rejected[0].reason.startswith("suppressed since")


def test_mailchimp_subscribed(readers: Readers) -> None:
    data = MAILCHIMP.format(more="", cell="")
    done = readers.bring(data, "subscribed_email_audience_export_1.csv")
    assert done.added == 1
    assert readers.plain() == [("anna@daily.example", "Anna Berg", "confirmed")]


@pytest.mark.parametrize(
    ("name", "more"),
    [("unsubscribed_email_audience_export_1.csv", ""), ("members.csv", "UNSUB_TIME,")],
)
def test_mailchimp_unsubscribed(readers: Readers, name: str, more: str) -> None:
    readers.bring("email\nbob@daily.example\n")
    data = MAILCHIMP.format(more=more, cell="," if more else "") + "\nbob@daily.example,Bob,,2\n"
    done = readers.bring(data, name)
    assert (done.added, done.updated) == (1, 1)
    assert {status for _, _, status in readers.plain()} == {"unsubscribed"}
    assert readers.bring("email\nanna@daily.example\n").rejected_total == 1
    assert readers.bring(data, name).skipped == 2


@pytest.mark.parametrize(
    ("name", "more"),
    [("cleaned_email_audience_export_1.csv", ""), ("members.csv", "CLEAN_TIME,")],
)
def test_mailchimp_cleaned(readers: Readers, name: str, more: str) -> None:
    data = MAILCHIMP.format(more=more, cell="," if more else "")
    for _ in range(2):
        done = readers.bring(data, name)
        assert (done.added, done.updated, done.skipped) == (0, 0, 0)
        assert "bounced there" in done.rejected[0].reason
    assert readers.all() == []
    (again,) = readers.bring("email\nanna@daily.example\n").rejected
    assert "mail to it bounced" in again.reason


def test_mailchimp_nonsubscribed(readers: Readers) -> None:
    done = readers.bring(MAILCHIMP.format(more="", cell=""), "nonsubscribed_email_1.csv")
    assert [(one.line, one.reason) for one in done.rejected] == [(2, "they never subscribed there")]
    assert readers.all() == []


def test_an_unknown_status_is_no_consent(readers: Readers) -> None:
    done = readers.bring("email,status\na@x.example,subscribed\nb@x.example,vip\n")
    assert done.added == 1
    assert "the status 'vip' is not known" in done.rejected[0].reason


def test_another_publication_has_readers_of_its_own(readers: Readers) -> None:
    other = Readers(readers.folder, f"{URI}-two")
    readers.bring("email\na@x.example\n")
    assert other.bring("email\na@x.example\n").added == 1
    _remove(readers, "a@x.example")
    assert [one.status for one in other.all()] == ["confirmed"]
    other.database.close()


def test_twenty_thousand_rows(readers: Readers) -> None:
    steps: list[tuple[str, int, int]] = []
    data = _rows(20_500)
    done = readers.bring(data, progress=lambda *step: steps.append(step))
    assert (done.added, done.skipped) == (20_500, 0)
    assert [name for _, name, _ in readers.plain()] == [f"Reader {n}" for n in range(20_500)]
    assert steps[-1] == ("Importing", len(data), len(data))
    again = readers.bring(data)
    assert (again.added, again.skipped) == (0, 20_500)
    with readers.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(s.consent)).scalar() == 20_500
        refs = connection.execute(select(s.subscriber.c.ref)).scalars().all()
    assert all(len(ref) == 16 and ref.isalnum() and ref.islower() for ref in refs[:100])


def _program(readers: Readers, file: Path) -> list[str]:
    code = (
        "import sys; from pathlib import Path; from tests.audience.readers import Readers;"
        "r = Readers(Path(sys.argv[1])); print('ready', flush=True);"
        "d = r.bring(Path(sys.argv[2]).read_bytes()); print(d.added, d.skipped, d.rejected_total)"
    )
    return [sys.executable, "-c", code, str(readers.folder), str(file)]


def test_a_kill_in_the_middle_is_made_good_by_importing_again(
    readers: Readers, tmp_path: Path
) -> None:
    file = tmp_path / "readers.csv"
    file.write_text(_rows(60_000))
    running = subprocess.Popen(_program(readers, file), stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not _count(readers) and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    before = _count(readers)
    assert before % 20_000 == 0, "a chunk is there as a whole, or not at all"
    done = readers.bring(file.read_bytes())
    assert done.added == 60_000 - before
    assert _count(readers) == 60_000
    with readers.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(s.consent)).scalar() == 60_000


def test_two_imports_at_once_add_each_once(readers: Readers, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    file.write_text(_rows(25_000))
    running = [
        subprocess.Popen(_program(readers, file), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    counts = [list(map(int, one.communicate()[0].split()[1:])) for one in running]
    assert [one.returncode for one in running] == [0, 0]
    assert sum(added for added, _, _ in counts) == 25_000
    assert sum(skipped for _, skipped, _ in counts) == 25_000
    assert _count(readers) == 25_000


def _count(readers: Readers) -> int:
    with readers.database.read() as connection:
        return sum(count_by_status(connection, readers.database.publication).values())


_PIECES = [
    *("\0", "\r", "\n", "\r\nBcc: x@y.example", '"', "'", ",", ";", "\t", "=cmd|' /C calc'!A0"),
    *("<script>alert(1)</script>", "\u202e", "\u200b", "\ufeff", "\U0001f600", "é", "e\u0301"),
    *("%s%n", "{{ 7*7 }}", "'; DROP TABLE subscriber; --", "@", "..", "@daily.example", "a", " "),
    *("\u2028", "\x85", "\x7f", "\ufffe", "+", "-", "x" * 300, "\\", "$(id)", "用户", "\u0130"),
]


def _hostile(number: int) -> list[str]:
    chance = random.Random(2026)
    return ["".join(chance.choices(_PIECES, k=chance.randint(1, 5))) for _ in range(number)]


def test_hostile_cells_are_rejected_or_kept_as_they_are(readers: Readers) -> None:
    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["email", "name"])
    words = _hostile(1_000)
    for number, word in enumerate(words):
        writer.writerow([word + ("" if number % 2 else "@daily.example"), "Name"])
        writer.writerow([f"r{number}@daily.example", word])
    done = readers.bring(file.getvalue())
    assert done.added + done.updated + done.skipped + done.rejected_total == 2_000
    for one in readers.all():
        assert one.name.isprintable() or set(one.name) & set("\u200b\ufeff")
        assert not set(one.email) & set("\0\r\n\t\u2028\u202e<>\x85")
    exported = readers.export()
    (readers.folder / "other").mkdir()
    other = Readers(readers.folder / "other")
    other.bring(exported)
    assert other.plain() == readers.plain()
    other.database.close()


@pytest.mark.long
@pytest.mark.parametrize("number", [10_000, 100_000, 1_000_000])
def test_memory_stays_flat(readers: Readers, tmp_path: Path, number: int) -> None:
    file = tmp_path / "readers.csv"
    with file.open("w") as written:
        written.write("email,name\n")
        written.writelines(f"r{n}@sample{n % 997}.example,Reader {n}\n" for n in range(number))
    code = (
        "import sys, os, resource; from datetime import datetime, UTC; from pathlib import Path;"
        "from publisher.audience.importing import Importing, import_subscribers;"
        "from publisher.audience.files import open_files; from contextlib import ExitStack;"
        "from tests.audience.readers import Readers;"
        "r = Readers(Path(sys.argv[1]));"
        "i = Importing(database=r.database, secret=r.secret, at=datetime.now(UTC),"
        " chance=os.urandom, progress=lambda *_: None);"
        "s = ExitStack(); o = open_files(s, sys.argv[2:], '', None);"
        "print(import_subscribers(i, *o.sources).added,"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, str(readers.folder), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    added, kilobytes = map(int, done.stdout.split())
    assert added == number
    assert kilobytes < 150_000
