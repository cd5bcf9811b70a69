"""Readers in the console: found, shown, changed, erased; only senders see them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from publisher.model.choices import Choices
from publisher.store import schema as s
from publisher.store.bounces import find_reached, record
from publisher.store.starting import NewMailing, start_issue_mailing
from publisher.store.suppressions import suppress
from tests.web.console.site import Browser, Console, run_console

ANNA, BO = "anna@reader.example", "bo@leser.example"
HOSTILE = '"><img src=x onerror=hit(1)>'


@pytest.fixture
def sender(console: Console) -> Browser:
    return console.enter("sender")


def path_of(console: Console, email: str) -> str:
    return f"/readers/{console.readers.get(email).ref}"


def shown(page: str) -> list[str]:
    """The addresses of the list, in its order."""
    return re.findall(r'<a href="/readers/\w{16}"><bdi dir="ltr">([^<]+)</bdi>', page)


def start_mailing(console: Console, slug: str = "monday") -> int:
    """Start an issue's mailing to all who are subscribed; gives its id."""
    new = NewMailing(
        ref=f"ref-{slug}",
        issue=f"id-{slug}",
        slug=slug,
        purpose="issue",
        digest="0" * 64,
        content=b"",
        domain="daily.example",
    )
    with console.database.write() as connection:
        publication = console.database.publication
        return start_issue_mailing(connection, publication, new, datetime.now(UTC)).id


def come_back(console: Console, event: str, said: str) -> None:
    """Let something come back about the newest delivery."""
    d = s.delivery.c
    with console.database.write() as connection:
        publication = console.database.publication
        newest = connection.execute(select(d.id).order_by(d.id.desc()).limit(1)).scalar_one()
        connection.execute(update(s.delivery).where(d.id == newest).values(status="sent"))
        reached = find_reached(connection, publication, newest)
        assert reached is not None
        record(connection, publication, reached, event, said, datetime.now(UTC))  # type: ignore[arg-type]


def test_only_senders_see_readers(console: Console) -> None:
    console.readers.bring(f"email\n{ANNA}\n")
    editor = console.enter("editor")
    for path in ("/readers", path_of(console, ANNA), "/suppressions", "/returned"):
        answer = editor.get(path)
        assert answer.status == 403
        assert ANNA not in answer.text
    assert editor.post("/readers/export").status == 403
    assert 'href="/readers"' not in editor.get("/account").text
    assert not [deed for deed in console.done() if deed[1].startswith("reader")]


def test_a_list_in_pages_which_hold_under_change(console: Console, sender: Browser) -> None:
    emails = [f"reader-{number:03}@reader.example" for number in range(120)]
    console.readers.bring("email\n" + "\n".join(emails))
    first = sender.get("/readers").text
    assert shown(first) == emails[::-1][:50]
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older
    console.readers.bring("email\nlater@reader.example\n")
    second = sender.get(older[1].replace("&amp;", "&")).text
    assert shown(second) == emails[::-1][50:100]
    assert "Newest" in second


def test_a_reader_is_found_by_any_spelling_or_a_part(console: Console, sender: Browser) -> None:
    console.readers.bring(f"email,name\n{ANNA},Anna Berg\n{BO},Bo\nleser@reader.example,\n")
    assert shown(sender.get("/readers?q=ANNA@Reader.Example").text) == [ANNA]
    assert shown(sender.get("/readers?q=leser").text) == ["leser@reader.example", BO]
    assert shown(sender.get("/readers?q=berg").text) == [ANNA]
    assert shown(sender.get("/readers?q=%25").text) == []
    assert "Nobody found" in sender.get("/readers?q=%25").text


def test_a_list_of_those_who_stand_somehow(console: Console, sender: Browser) -> None:
    lines = ["a@x.example,confirmed", "b@x.example,unconfirmed", "c@x.example,unsubscribed"]
    lines += ["d@x.example,confirmed", "e@x.example,confirmed"]
    console.readers.bring("email,status\n" + "\n".join(lines))
    with console.database.write() as connection:
        publication, now = console.database.publication, datetime.now(UTC)
        suppress(connection, publication, console.readers.hash("d@x.example"), "bounce", now)
        paused = update(s.subscriber).where(s.subscriber.c.email == "e@x.example")
        connection.execute(paused.values(paused_until=now + timedelta(days=7)))
    for standing, email in (
        ("unconfirmed", "b"),
        ("unsubscribed", "c"),
        ("suppressed", "d"),
        ("paused", "e"),
    ):
        page = sender.get(f"/readers?standing={standing}").text
        assert shown(page) == [f"{email}@x.example"], standing
        assert re.search(rf'aria-current="true">{standing.capitalize()} <span[^>]+>1<', page)
    assert shown(sender.get("/readers?standing=confirmed").text) == [
        f"{each}@x.example" for each in "eda"
    ]
    assert len(shown(sender.get("/readers?standing=nonsense").text)) == 5


def test_a_reader_whom_one_vouches_for_is_added(console: Console, sender: Browser) -> None:
    answer = sender.post("/readers", {"email": ANNA, "name": "Anna", "how": "vouch"})
    assert (answer.status, answer.headers["location"]) == (303, path_of(console, ANNA))
    assert console.readers.plain() == [(ANNA, "Anna", "confirmed")]
    assert [line.source for line in console.readers.record(ANNA)] == ["operator"]
    ref = console.readers.get(ANNA).ref
    assert console.done()[0] == ("sender@daily.example", "reader added", f"reader {ref}")


def test_what_is_wrong_with_a_reader_stands_beside_it(console: Console, sender: Browser) -> None:
    answer = sender.post("/readers", {"email": HOSTILE, "name": "Anna", "how": "vouch"})
    assert answer.status == 422
    assert "It has no @." in answer.text
    assert HOSTILE not in answer.text
    assert 'value="Anna"' in answer.text
    assert console.readers.all() == []


def test_one_who_is_asked_is_added_where_a_message_can_be_made(console: Console) -> None:
    sender = console.enter("sender")
    answer = sender.post("/readers", {"email": ANNA, "how": "ask"})
    assert answer.status == 422
    assert "smtp.host" in answer.text
    assert console.readers.all() == []


def test_links_and_confirmations_are_sent_as_often_as_on_the_site(tmp_path: Path) -> None:
    def purposes() -> list[str]:
        with console.database.read() as connection:
            chosen = select(s.mailing.c.purpose).order_by(s.mailing.c.id)
            return list(connection.execute(chosen).scalars())

    with run_console(tmp_path, smtp={"host": "127.0.0.1"}) as console:
        sender = console.enter("sender")
        assert sender.post("/readers", {"email": ANNA, "how": "ask"}).status == 303
        assert console.readers.get(ANNA).status == "unconfirmed"
        path = path_of(console, ANNA)
        sender.post(f"{path}/confirmation")
        assert "They were not asked again" in sender.get(path).text
        assert purposes() == ["confirmation"]
        sender.post(f"{path}/link")
        assert purposes() == ["confirmation"]
        console.readers.bring(f"email\n{BO}\n")
        path = path_of(console, BO)
        for _ in range(3):
            sender.post(f"{path}/link")
        assert "No link was sent" in sender.get(path).text
        assert purposes() == ["confirmation", "preferences", "preferences"]
        assert [each[1] for each in console.done()].count("preferences link sent") == 2


def test_who_left_comes_back_only_when_one_says_so(console: Console, sender: Browser) -> None:
    console.readers.bring(f"email,status\n{ANNA},unsubscribed\n")
    answer = sender.post("/readers", {"email": ANNA, "how": "vouch"})
    assert answer.status == 422
    assert "They unsubscribed on" in answer.text
    assert 'name="again"' in answer.text
    assert console.readers.get(ANNA).status == "unsubscribed"
    assert sender.post("/readers", {"email": ANNA, "how": "vouch", "again": "yes"}).status == 303
    assert console.readers.get(ANNA).status == "confirmed"


def test_a_reader_is_renamed_unsubscribed_suppressed_lifted(
    console: Console, sender: Browser
) -> None:
    console.readers.bring(f"email,name\n{ANNA},Anna\n")
    path = path_of(console, ANNA)
    assert sender.post(f"{path}/name", {"name": " Anna  Berg "}).status == 303
    assert console.readers.get(ANNA).name == "Anna Berg"
    answer = sender.post(f"{path}/name", {"name": "a\u2028b"})
    assert answer.status == 422
    assert "control characters" in answer.text
    sender.post(f"{path}/suppress")
    assert console.readers.get(ANNA).is_suppressed
    assert "an operator decided so" in sender.get(path).text
    sender.post(f"{path}/lift")
    assert not console.readers.get(ANNA).is_suppressed
    sender.post(f"{path}/unsubscribe")
    assert console.readers.get(ANNA).status == "unsubscribed"
    sender.post(f"{path}/unsubscribe")
    about = f"reader {console.readers.get(ANNA).ref}"
    assert [each[1:] for each in console.done()[:4]] == [
        ("reader unsubscribed", about),
        ("suppression lifted", about),
        ("address suppressed", about),
        ("reader renamed", about),
    ]


def test_what_is_known_of_a_reader(console: Console, sender: Browser) -> None:
    console.readers.bring(f"email,name\n{ANNA},Anna\n")
    start_mailing(console)
    come_back(console, "soft_bounced", "452 4.2.2 mailbox full")
    page = sender.get(path_of(console, ANNA)).text
    for text in ("readers.csv", "vouched", "import", "soft bounced", "452 4.2.2 mailbox full"):
        assert text in page
    assert re.search(r'<a href="/deliveries/\d+"><bdi>monday</bdi>', page)


def test_erasing_asks_and_leaves_no_address(console: Console, sender: Browser) -> None:
    console.readers.bring(f"email,name\n{ANNA},Anna\n")
    path = path_of(console, ANNA)
    asked = sender.get(f"{path}/erase")
    assert "There is no way back." in asked.text
    assert console.readers.plain() == [(ANNA, "Anna", "confirmed")]
    sender.post(f"{path}/name", {"name": "Anna B"})
    assert sender.post(f"{path}/erase").headers["location"] == "/readers"
    assert console.readers.all() == []
    assert console.done()[0][1] == "reader erased"
    assert sender.get(path).status == 404
    console.database.close()
    assert ANNA.encode() not in console.readers.bytes_on_disk()


def test_erasing_takes_an_address_out_of_reports(console: Console, sender: Browser) -> None:
    from publisher.model.operators import Actor
    from publisher.store import imports

    console.readers.bring(f"email\n{ANNA}\n")
    lines = [imports.Line(2, ANNA.upper(), "no"), imports.Line(3, BO, "no")]
    with console.database.write() as connection:
        publication, now = console.database.publication, datetime.now(UTC)
        run = imports.begin(connection, publication, "x.csv", Actor("x"), now)
        imports.end(connection, run, "done", now, counts=(0, 0, 0, 2), rejected=lines)
    sender.post(f"{path_of(console, ANNA)}/erase")
    with console.database.read() as connection:
        kept = imports.read_rejected(connection, console.database.publication, run)
    assert [each.value for each in kept] == [BO]


def test_suppressions_are_added_found_and_lifted(console: Console, sender: Browser) -> None:
    console.readers.bring(f"email\n{ANNA}\n")
    for email in ("Stranger@Else.example", ANNA):
        assert sender.post("/suppressions", {"email": email}).status == 303
    page = sender.get("/suppressions").text
    assert ANNA in page
    assert "stranger" not in page.lower()
    found = sender.get("/suppressions?q=stranger@ELSE.example").text
    assert "An operator decided so" in found
    lift = re.search(r'action="(/suppressions/\d+/lift)"', found)
    assert lift
    assert sender.post(lift[1]).status == 303
    assert "Not suppressed" in sender.get("/suppressions?q=stranger@else.example").text
    assert sender.post(lift[1]).status == 404
    assert "no @" in sender.get("/suppressions?q=stranger").text
    assert not any("stranger" in deed.about + deed.detail for deed in console.deeds())


def test_what_came_back_is_listed(console: Console, sender: Browser) -> None:
    console.readers.bring(f"email\n{ANNA}\n")
    start_mailing(console)
    come_back(console, "bounced", "550 5.1.1 no such user")
    come_back(console, "complained", "")
    page = sender.get("/returned").text
    assert page.index("Complained of spam</td>") < page.index("Bounced for good</td>")
    only = sender.get("/returned?event=bounced").text
    assert "550 5.1.1 no such user" in only
    assert "Complained of spam</td>" not in only


def test_what_a_reader_gets_is_changed_for_them(tmp_path: Path) -> None:
    with run_console(tmp_path, choices={"tags": ["Economy", HOSTILE]}) as console:
        console.readers.bring(f"email\n{ANNA}\n")
        sender, path = console.enter("sender"), path_of(console, ANNA)
        assert HOSTILE not in sender.get(path).text
        sender.post(f"{path}/choices", {"content": "headlines", "tags": "economy"})
        found = console.readers.get(ANNA)
        assert found.choices == Choices(content="headlines", tags=("economy",))
        page = sender.get(path).text
        assert "the headlines only" in page
        assert re.findall(r'value="([^"]*)" checked', page) == ["headlines", "economy"]
        sender.post(f"{path}/choices", {"content": "full", "tags": "sport"})
        assert "not offered" in sender.get(path).text
        assert console.readers.get(ANNA) == found
        deeds = [deed[1:3] for deed in console.done() if deed[1].startswith("reader")]
        assert deeds == [("reader's choices changed", f"reader {found.ref}")]
        assert console.enter("editor").post(f"{path}/choices", {"content": "full"}).status == 403
