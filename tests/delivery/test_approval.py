"""Approval: an issue is sent once a second operator has approved its very content."""

from datetime import UTC, datetime, timedelta

import pytest

from publisher.audience.address import parse_address
from publisher.model.operators import Actor
from publisher.runtime.newsroom import Folder
from publisher.runtime.passwords import hash_password
from publisher.runtime.planned import PlannedSends
from publisher.settings import load_settings
from publisher.store import audit
from publisher.store.operators import save_operator
from publisher.store.plans import add_plan
from tests.cli.command_line import Outcome
from tests.delivery.correcting import NOTE, RIGHT, WRONG, write
from tests.delivery.post import NAME, Post
from tests.delivery.test_schedule import EVERY_MINUTE, Clockwork

ADA, BEN = "ada@reader.example", "ben@leser.example"
ANNA, BERT, EVE = "anna@daily.example", "bert@daily.example", "eve@daily.example"
PASSWORD = "correct horse battery"


@pytest.fixture
def desk(post: Post) -> Post:
    """A publication that needs approvals; Anna and Bert are senders, Eve is an editor."""
    post.configure(require_approval=True)
    post.subscribe([ADA, BEN])
    database = post.open()
    hash, now = hash_password(PASSWORD), datetime.now(UTC)
    with database.write() as connection:
        for email in (ANNA, BERT, EVE):
            save_operator(
                connection,
                database.publication,
                email=email,
                key=parse_address(email).key,
                name="",
                role="editor" if email == EVE else "sender",
                password_hash=hash,
                now=now,
            )
    database.close()
    return post


def approve(desk: Post, who: str = BERT, *words: str, password: str = PASSWORD) -> Outcome:
    piped = ("--as", who, "--password-stdin", "--json", *words)
    return desk.cli("approve", NAME, *piped, stdin=f"{password}\n".encode())


def edit(desk: Post, old: str, new: str) -> None:
    path = f"issues/{NAME}.md"
    text = desk.cli.read(path)
    assert old in text
    desk.cli.write(path, text.replace(old, new))


def wrote(desk: Post, who: str) -> None:
    """As the console notes it of who changes an issue."""
    database = desk.open()
    with database.write() as connection:
        audit.note(
            connection,
            database.publication,
            Actor(who, "127.0.0.1"),
            "issue saved",
            datetime.now(UTC),
            about=NAME,
        )
    database.close()


def is_refused(desk: Post) -> bool:
    done = desk.send()
    assert not desk.arrived()
    return done.status == 2 and "approv" in done.err and not desk.rows("SELECT id FROM mailing")


def test_nothing_is_sent_without_and_it_is_sent_with_it(desk: Post) -> None:
    assert is_refused(desk)
    done = approve(desk)
    assert (done.status, done.json["approved_by"]) == (0, BERT)
    assert desk.send("--dry-run").json["digest"] == done.json["digest"]
    assert desk.send().status == 0
    assert desk.arrived() == {ADA: 1, BEN: 1}
    assert desk.rows("SELECT who, action FROM audit") == [(BERT, "issue approved")]


def test_a_trial_needs_none(desk: Post) -> None:
    assert desk.cli("send", NAME, "--test", "me@x.example").status == 0
    assert desk.arrived() == {"me@x.example": 1}


def test_any_change_of_the_content_voids_it(desk: Post) -> None:
    assert approve(desk).status == 0
    text = desk.cli.read(f"issues/{NAME}.md")
    edit(desk, "title: ", "title: Another ")
    assert is_refused(desk)
    assert "changed after it was approved" in desk.send().err
    desk.cli.write(f"issues/{NAME}.md", text)
    settings = desk.cli.read("publisher.toml")
    desk.cli.write(
        "publisher.toml",
        settings.replace("postal_address = ", 'reply_to = "x@y.example"\npostal_address = '),
    )
    assert is_refused(desk)
    desk.cli.write("publisher.toml", settings)
    assert desk.send().status == 0


def test_what_is_being_sent_goes_on(desk: Post) -> None:
    assert approve(desk).status == 0
    assert desk.send().status == 0
    edit(desk, "title: ", "title: Another ")
    assert desk.send().status == 5
    assert desk.arrived() == {ADA: 1, BEN: 1}


def test_who_wrote_it_does_not_approve_it_alone(desk: Post) -> None:
    wrote(desk, BERT)
    assert approve(desk, BERT).status == 0
    assert is_refused(desk)
    assert f"approved by {BERT} alone" in desk.send().err
    assert approve(desk, ANNA).status == 0
    assert desk.send().status == 0


@pytest.mark.parametrize(
    ("who", "words", "password", "said"),
    [
        (BERT, (), "wrong horse battery", "not the password"),
        (EVE, (), PASSWORD, "a sender or an owner"),
        ("nobody@daily.example", (), PASSWORD, "is no operator"),
        ("no address", (), PASSWORD, "is no address"),
        (BERT, ("--digest", "0" * 64), PASSWORD, "has the digest"),
        (BERT, ("--digest", ""), PASSWORD, ""),
    ],
)
def test_only_who_may_approves_what_there_is(
    desk: Post, who: str, words: tuple[str, ...], password: str, said: str
) -> None:
    done = approve(desk, who, *words, password=password)
    assert done.status == (2 if said else 0), done
    assert said in done.err
    assert len(desk.rows("SELECT id FROM approval")) == (0 if said else 1)


def test_it_names_the_digest_that_send_shows(desk: Post) -> None:
    shown = desk.send("--dry-run").json["digest"]
    assert approve(desk, BERT, "--digest", shown[:7]).status == 2
    assert approve(desk, BERT, "--digest", shown[:8].upper()).status == 0
    assert approve(desk, BERT, "--digest", shown).status == 0
    assert desk.rows("SELECT digest FROM approval") == [(shown,)]


def test_drafts_and_errors_are_not_approved(desk: Post) -> None:
    text = desk.cli.read(f"issues/{NAME}.md")
    edit(desk, "status: ready", "status: draft")
    assert (approve(desk).status, "is a draft" in approve(desk).err) == (1, True)
    desk.cli.write(f"issues/{NAME}.md", f"{text}\n[x](javascript:alert(1))\n")
    assert approve(desk).status == 1
    assert desk.rows("SELECT id FROM approval") == []


def test_without_a_terminal_it_asks_for_no_password(desk: Post) -> None:
    done = desk.cli("approve", NAME, "--as", BERT)
    assert (done.status, "--password-stdin" in done.err) == (2, True)


def test_a_schedule_waits_for_it_and_says_so(desk: Post) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=5)
    desk.cli.issue(NAME, date=moment.isoformat(timespec="seconds"))
    clockwork = Clockwork(desk)
    more = 'catch_up = "10m"\nsettle = "0s"\n'
    desk.configure(EVERY_MINUTE.format(more=more), require_approval=True)
    assert clockwork.tick(0) == ["waiting"]
    assert "needs the approval of a second operator" in clockwork.told[-1].reason
    assert approve(desk).status == 0
    assert clockwork.tick(0.5) == ["fired"]
    assert desk.counts() == {"queued": 2}


@pytest.mark.parametrize(("by", "status"), [(BERT, "refused"), (ANNA, "started")])
def test_a_planned_send_needs_somebody_else(desk: Post, by: str, status: str) -> None:
    assert approve(desk, BERT).status == 0
    settings = load_settings(desk.folder / "publisher.toml", {})
    newsroom, now = Folder(desk.folder, settings), datetime.now(UTC)
    assert desk.cli("build").status == 0
    new = newsroom.freeze(now, NAME)
    database = desk.open()
    with database.write() as connection:
        add_plan(
            connection,
            database.publication,
            issue=new.issue,
            slug=NAME,
            digest=new.digest,
            who=by,
            client="",
            now=now - timedelta(minutes=2),
        )
    PlannedSends(database, newsroom).tick(now)
    database.close()
    (found,) = desk.rows("SELECT status, reason FROM planned_send")
    assert found[0] == status
    assert ("alone" in found[1]) == (status == "refused")


def test_a_correction_is_mailed_only_once_it_is_approved_too(desk: Post) -> None:
    write(desk, WRONG)
    assert approve(desk).status == 0
    assert desk.send().status == 0
    write(desk, RIGHT)
    words = ("correct", NAME, "--note", NOTE, "--mail", "--yes")
    refused = desk.cli(*words)
    assert (refused.status, "changed after it was approved" in refused.err) == (2, True)
    assert NOTE in desk.cli.read(f"public/issues/{NAME}/index.html")
    assert approve(desk).status == 0
    assert desk.cli(*words).status == 0
    assert desk.cli("run", "--once").status == 0
    assert desk.arrived() == {ADA: 2, BEN: 2}
