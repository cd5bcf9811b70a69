"""Other systems' exports: who comes in, who does not, since when, and that nobody is lost."""

from datetime import UTC, datetime

import pytest

from publisher.audience import importing
from publisher.errors import PublisherError
from publisher.store import suppressions
from tests.audience import exports
from tests.audience.readers import NOON, Readers


def _suppressed(readers: Readers, email: str) -> tuple[str, datetime] | None:
    with readers.database.read() as connection:
        found = suppressions.find(connection, readers.database.publication, readers.hash(email))
    return None if found is None else (found.reason, found.at)


def _consent(readers: Readers, email: str) -> list[tuple[str, str, str]]:
    return [
        (line.at.isoformat(timespec="seconds")[:19], line.action, line.origin)
        for line in readers.record(email)
    ]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_substack(readers: Readers) -> None:
    done = readers.bring(exports.SUBSTACK, "email_list.daily.csv", at=NOON)
    assert readers.plain() == [
        ("free@daily.example", "", "confirmed"),
        ("paid@daily.example", "", "confirmed"),
        ("off@daily.example", "", "unsubscribed"),
    ]
    assert [(one.line, one.reason) for one in done.rejected] == [
        (5, "the line has 2 cells, the header 7"),
        (6, "it does not say whether they get mail: '' is neither true nor false"),
    ]
    assert done.files[0].system == "Substack"
    assert _consent(readers, "free@daily.example") == [
        ("2024-07-01T08:30:00", "vouched", "email_list.daily.csv")
    ]


def test_substack_whole(readers: Readers) -> None:
    """Who was sent a post years ago is in the archive too, and is nobody who reads it."""
    packed = exports.pack(
        {
            "posts.csv": exports.SUBSTACK_POSTS,
            "posts/1.first.delivers.csv": exports.SUBSTACK_DELIVERED,
            "posts/1.first.html": "<p>One</p>",
            "email_list.daily.csv": exports.SUBSTACK,
            "__MACOSX/._email_list.daily.csv": b"\0\5\26\7",
        }
    )
    done = readers.bring(packed, "export.zip", at=NOON)
    assert (done.read, done.added, done.rejected_total) == (5, 3, 2)
    assert [(file.name, file.read) for file in done.files] == [
        ("email_list.daily.csv", 5),
        ("posts.csv", 0),
        ("1.first.delivers.csv", 0),
    ]
    assert all("left alone" in file.note for file in done.files[1:])


def test_substack_dashboard(readers: Readers) -> None:
    data = "Email,Name,Stripe plan,Cancel date,Start date,Paid upgrade date\n"
    data += "a@daily.example,Ana,,2026-01-01,2025-05-01T10:00:00.000000000+00:00,\n"
    assert readers.bring(data, at=NOON).files[0].system == "Substack"
    assert readers.plain() == [("a@daily.example", "Ana", "confirmed")]
    assert _consent(readers, "a@daily.example")[0][0] == "2025-05-01T10:00:00"


@pytest.mark.parametrize("is_packed", [True, False])
def test_mailchimp(readers: Readers, is_packed: bool) -> None:
    files = exports.MAILCHIMP
    packed = {"audience_export.zip": exports.pack(files)}
    done = readers.bring_all(packed if is_packed else files, at=NOON)
    assert {(email, status) for email, _, status in readers.plain()} == {
        ("twice@daily.example", "confirmed"),
        ("once@daily.example", "confirmed"),
        ("LEFT@daily.example", "unsubscribed"),
        ("angry@daily.example", "unsubscribed"),
    }
    assert readers.get("twice@daily.example").name == 'Dora van "Dyk", jr.'
    assert _suppressed(readers, "dead@daily.example") == ("bounce", _at("2020-03-23T17:30:05"))
    assert _suppressed(readers, "angry@daily.example") == ("complaint", _at("2023-06-07T12:56:15"))
    assert _suppressed(readers, "buyer@daily.example") is None
    assert done.read == 8 == done.added + done.updated + done.skipped + done.rejected_total
    assert done.became == {"confirmed": 2, "unsubscribed": 2, "suppressed": 2}
    assert sorted((one.value, one.reason.partition(" (")[0]) for one in done.rejected) == [
        ("buyer@daily.example", "they never subscribed there"),
        ("dead@daily.example", "mail to this address bounced there; it is suppressed here too"),
        ("dead@daily.example", "suppressed since 2020-03-23"),
        ("left@daily.example", "another line says that they left"),
    ]
    again = readers.bring_all(files)
    assert (again.added, again.updated, again.became) == (0, 0, {})
    assert again.read == 8


def test_when_and_from_where_they_agreed(readers: Readers) -> None:
    readers.bring_all(exports.MAILCHIMP, at=NOON)
    name = "subscribed_email_audience_export_a1b2c3.csv"
    assert _consent(readers, "twice@daily.example") == [
        ("2023-04-21T11:16:57", "asked", f"{name} 203.0.113.8"),
        ("2023-04-21T11:20:01", "confirmed", f"{name} 203.0.113.8"),
    ]
    assert _consent(readers, "once@daily.example") == [("2018-02-12T10:54:27", "vouched", name)]
    assert [line[:2] for line in _consent(readers, "LEFT@daily.example")] == [
        ("2018-02-12T10:54:27", "asked"),
        ("2023-06-06T12:56:15", "unsubscribed"),
    ]


def test_ghost(readers: Readers) -> None:
    done = readers.bring(exports.GHOST, "members.csv", at=NOON)
    assert readers.plain() == [
        ("vip@daily.example", "Grace", "confirmed"),
        ("quiet@daily.example", "Quiet", "unsubscribed"),
    ]
    (refused,) = done.rejected
    assert (refused.line, refused.value) == (5, "deleted@daily.example")
    assert "both that they get mail and that they left (2025-01-01" in refused.reason


def test_buttondown(readers: Readers) -> None:
    done = readers.bring(exports.BUTTONDOWN, "subscribers.csv", at=NOON)
    assert [(email.partition("@")[0], status) for email, _, status in readers.plain()] == [
        ("regular", "confirmed"),
        ("paid", "confirmed"),
        ("waiting", "unconfirmed"),
        ("left", "unsubscribed"),
    ]
    found = {name: _suppressed(readers, f"{name}@daily.example") for name in _NAMES}
    assert {name: each and each[0] for name, each in found.items()} == {
        "dead": "bounce",
        "angry": "complaint",
        "banned": "operator",
        "bot": None,
        "odd": None,
    }
    assert found["dead"] == ("bounce", _at("2025-02-03T04:05:06"))
    assert [one.line for one in done.rejected] == [6, 7, 8, 9, 10, 11]
    assert "the status 'fancy' is not known" in done.rejected[-1].reason
    assert _consent(readers, "regular@daily.example") == [
        ("2024-03-01T09:00:00", "vouched", "subscribers.csv 2001:db8::1")
    ]


_NAMES = ("dead", "angry", "banned", "bot", "odd")


def test_buttondown_before_2024(readers: Readers) -> None:
    readers.bring(exports.BUTTONDOWN_OLD)
    assert [status for _, _, status in readers.plain()] == ["confirmed", "unsubscribed"]


def test_beehiiv(readers: Readers) -> None:
    done = readers.bring(exports.BEEHIIV, at=NOON)
    assert readers.plain() == [
        ("active@daily.example", "Ada Berg", "confirmed"),
        ("inactive@daily.example", "", "unsubscribed"),
        ("pending@daily.example", "", "unconfirmed"),
    ]
    assert [(one.line, one.reason) for one in done.rejected] == [
        (5, "the address was found invalid there")
    ]
    assert _consent(readers, "inactive@daily.example")[-1][:2] == (
        "2024-01-02T03:04:05",
        "unsubscribed",
    )
    assert readers.bring(exports.BEEHIIV_OLD).files[0].system == "beehiiv"


def test_listmonk(readers: Readers) -> None:
    done = readers.bring(exports.LISTMONK, at=NOON)
    assert readers.plain() == [("on@daily.example", "On", "confirmed")]
    assert _consent(readers, "on@daily.example")[0][0] == "2025-01-01T10:00:00"
    assert [one.line for one in done.rejected] == [4, 5]
    assert _suppressed(readers, "never@daily.example") == ("operator", NOON)
    assert "does not say who unsubscribed" in done.files[0].note


def test_a_list_that_does_not_say_who_left(readers: Readers) -> None:
    """What listmonk exports of those who unsubscribed has the same columns."""
    left = exports.LISTMONK
    done = readers.bring_all({"subscribers.csv": left}, everybody="unsubscribed")
    assert done.became == {"unsubscribed": 3, "suppressed": 1}
    again = readers.bring(exports.LISTMONK)
    assert again.added == again.updated == 0
    readers.bring_all({"more.csv": "email\nz@x.example\n"}, everybody="bounced")
    found = _suppressed(readers, "z@x.example")
    assert found
    assert found[0] == "bounce"


@pytest.mark.parametrize("order", ["in first", "left first"])
def test_who_left_in_any_line_has_left(readers: Readers, order: str) -> None:
    lines = ["a@x.example,active", "A@X.example,unsubscribed"]
    lines += ["b@x.example,active", "b@X.example,bounced"]
    if order == "left first":
        lines.reverse()
    done = readers.bring("email,status\n" + "\n".join(lines) + "\n")
    assert done.read == 4
    assert [status for email, _, status in readers.plain() if email.lower()[0] == "a"] == [
        "unsubscribed"
    ]
    assert _suppressed(readers, "b@x.example")


_OVER_AND_OVER = {
    "left.csv": "email,status\na@x.example,unsubscribed\nb@x.example,bounced\n",
    "in.csv": "email,status\nA@x.example,active\nb@X.example,active\nc@x.example,active\n",
    "more.csv": "email,status\nc@X.example,active\nd@x.example,active\n",
    "late.csv": "email,status\nd@x.example,unsubscribed\nc@x.example,complained\n",
}


@pytest.mark.parametrize("files", [exports.MAILCHIMP, _OVER_AND_OVER])
@pytest.mark.parametrize("chunk", [1, 2, 20_000])
def test_a_dry_import_tells_what_the_import_will(
    readers: Readers, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], chunk: int
) -> None:
    monkeypatch.setattr(importing, "_CHUNK", chunk)
    dry = readers.bring_all(files, at=NOON, is_dry=True)
    assert readers.all() == []
    assert dry == readers.bring_all(files, at=NOON)
    assert readers.all() != []
    assert readers.bring_all(files, at=NOON, is_dry=True).added == 0


def test_why_lines_were_rejected_is_counted(readers: Readers) -> None:
    lines = ["a@x.example,unsubscribed", "b@x.example,bounced", "c@x.example,bounced", "d,active"]
    readers.bring("email,status\n" + "\n".join(lines) + "\n")
    again = readers.bring("email,status\na@x.example,active\nb@x.example,active\nd,active\n")
    assert again.rejected_because == {
        "unsubscribed here": 1,
        "suppressed here": 1,
        "it has no @": 1,
    }
    assert sum(again.rejected_because.values()) == again.rejected_total


def test_who_came_back_here_stays(readers: Readers) -> None:
    """To import a file twice does no harm, whatever readers did in between."""
    readers.bring_all(exports.MAILCHIMP)
    with readers.database.write() as connection:
        from publisher.audience.subscribing import confirm
        from publisher.store import consents

        publication, id_ = readers.database.publication, readers.get("LEFT@daily.example").id
        consents.change_each(connection, publication, [(id_, ())], "unconfirmed", NOON)
        assert confirm(connection, publication, id_, at=NOON, source="link")
    again = readers.bring_all(exports.MAILCHIMP)
    assert readers.get("LEFT@daily.example").status == "confirmed"
    assert again.skipped_because["subscribed here again since they left there"] == 1


DAMAGED = """\
sep=;\r
E-Mail;Vorname;Nachname;Sprache\r
\r
good@x.example;Anna;Berg;\r
"Bo <bo@x.example>";;;\r
mailto:cy@x.example;Cy;;\r
one@x.example, two@x.example;Two;;\r
;Nobody;;\r
noreply@shop.example;Shop;;\r
info@shop.example;Desk;;;;;\r
GOOD@X.EXAMPLE;Anna;Berg;\r
nul\0@x.example;N;;\r
much@x.example;a;b;c;d\r
"quoted
@x.example";;;\r
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_damaged_lines(readers: Readers, encoding: str) -> None:
    done = readers.bring(DAMAGED.encode(encoding))
    assert readers.plain() == [
        ("good@x.example", "Anna Berg", "confirmed"),
        ("bo@x.example", "Bo", "confirmed"),
        ("cy@x.example", "Cy", "confirmed"),
        ("info@shop.example", "Desk", "confirmed"),
    ]
    assert [(one.line, one.reason.partition(";")[0]) for one in done.rejected] == [
        (7, "it has more than one address in its cell"),
        (8, "there is no address"),
        (9, "no reader is at noreply@"),
        (12, "it has control characters or line breaks in it"),
        (13, "the line has 5 cells, the header 4"),
        (14, "it has control characters or line breaks in it"),
    ]
    assert done.skipped_because == {"twice in what is imported": 1}
    assert done.read == 11


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"PK\x03\x04\0\0", "is no text, and no whole zip archive either"),
        (exports.pack({"a.csv": exports.GHOST})[:-40], "no whole zip archive either"),
        (exports.pack({"[Content_Types].xml": "<x/>"}), "spreadsheet program's own file"),
        (exports.pack({"a.html": "x"}), "without one list of readers: it has none"),
        (
            exports.pack({"a.csv": "email\n", "b.csv": "email\n"}),
            r"has several \(a.csv, b.csv\); unpack it, and name one",
        ),
    ],
)
def test_archives_that_are_refused(readers: Readers, packed: bytes, said: str) -> None:
    with pytest.raises(PublisherError, match=said):
        readers.bring(packed, "x.zip")
    assert readers.all() == []


def test_an_archive_of_one_list_of_any_make(readers: Readers) -> None:
    packed = exports.pack({"notes.txt": "nothing", "people.csv": "email\na@x.example\n"})
    assert readers.bring(packed, "people.zip").added == 1


def test_one_file_of_several_that_cannot_be_read_stops_all(readers: Readers) -> None:
    bad = b"email\n" + b"r@x.example\n" * 3 + b"\xe9@x.example\n"
    with pytest.raises(PublisherError, match=r"b\.csv, line 5: this is no text"):
        readers.bring_all({"a.csv": "email\na@x.example\n", "b.csv": bad})
    assert readers.all() == []
