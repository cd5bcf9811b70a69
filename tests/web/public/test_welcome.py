"""The welcome: the newest issue for who has just confirmed, unless it comes to them anyway."""

import secrets
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from publisher.runtime.start import make_ref
from publisher.settings import Settings, load_settings
from publisher.store import schema as s
from publisher.store import wishes
from publisher.store.database import Database
from publisher.store.wishes import NewWish
from publisher.web.public.asking import Asking
from tests.cli.command_line import CommandLine
from tests.cli.conftest import clean_environment, cli, empty
from tests.delivery.correcting import WRONG, correct, write
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import ScriptedServer
from tests.web.public.site import PATIENCE, Client, Site, free_port, wait_until
from tests.web.public.test_journey import _find_link, _is_up, _newest

__all__ = ["clean_environment", "cli", "empty"]

ADA, BERTA = "ada@daily.example", "berta@daily.example"
HEADLINE = f"Text of {NAME}."


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def post(cli: CommandLine, server: ScriptedServer) -> Post:
    return Post(cli, server)


def _welcoming(post: Post, extra: str = "") -> None:
    post.configure(extra)
    path = post.folder / "publisher.toml"
    path.write_text(path.read_text().replace("[email]\n", "[email]\nwelcome = true\n"))


def _text(message: Any) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_who_confirms_is_welcomed_with_the_newest_issue(post: Post) -> None:
    port = free_port()
    _welcoming(post, f"[web]\nport = {port}\n")
    post.subscribe([ADA])
    assert post.send().status == 0
    process = post.start("run")
    try:
        site = Client(port)
        wait_until(lambda: _is_up(site) or process.poll() is not None or None)
        site.subscribe(BERTA, name="Berta", language="ar")
        link = _find_link(_newest(post, 1), "confirm")
        for _ in range(2):
            assert site.ask("POST", link, b"").status == 200
        welcome = _newest(post, 2)
        assert welcome["To"] == f"Berta <{BERTA}>"
        assert welcome["Subject"] == "مرحبًا بك في The Test Daily"
        assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "تم اشتراكك" in _text(welcome)
        assert HEADLINE in _text(welcome)
        html = welcome.get_body(("html",))
        assert html is not None
        assert 'dir="rtl"' in html.get_content()
        assert HEADLINE in html.get_content()
        assert site.get(_find_link(welcome, "unsubscribe")).status == 200
        assert post.send().status == 5
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in said
    assert post.arrived() == {ADA: 1, BERTA: 2}
    assert post.counts() == {"sent": 1}


class _Welcomes:
    """A publication whose issue was built and sent, and what its server does with wishes."""

    def __init__(self, post: Post) -> None:
        _welcoming(post)
        post.subscribe([ADA])
        assert post.send().status == 0
        self.settings: Settings = load_settings(post.folder / "publisher.toml", {})
        self.database: Database = post.open()
        self.asking = Asking(self.database, self.settings, post.folder, lambda _: None)
        with self.database.read() as connection:
            issue = select(s.mailing.c.id).where(s.mailing.c.purpose == "issue")
            self.issue = int(connection.execute(issue).scalar_one())

    def add(self, status: str | None = None, confirmed: str = "confirmed") -> int:
        """A subscriber whose delivery of the issue has a status; None: they have none."""
        now = datetime.now(UTC)
        with self.database.write() as connection:
            values: dict[str, Any] = {
                "ref": make_ref(),
                "email": f"{make_ref()}@x.example",
                "status": confirmed,
            }
            values |= {"address_hash": secrets.token_bytes(16), "publication": 1}
            inserted = s.subscriber.insert().values(**values, created_at=now, changed_at=now)
            key = connection.execute(inserted).inserted_primary_key
            assert key is not None
            id_ = int(key[0])
            if status is not None:
                row = {"publication": 1, "mailing": self.issue, "subscriber": id_}
                connection.execute(s.delivery.insert().values(**row, status=status))
        return id_

    def welcome(self, subscriber: int) -> list[str]:
        """Let them be welcomed, and give the issues' NAMEs of all welcomes until now."""
        with self.database.write() as connection:
            at = datetime.now(UTC)
            wish = NewWish(kind="welcome", subscriber=subscriber, hash=b"", at=at)
            wishes.add(connection, 1, wish)
        self.asking.work_off()
        d, m = s.delivery.c, s.mailing.c
        found = select(m.slug).join(s.delivery, d.mailing == m.id)
        with self.database.read() as connection:
            assert connection.execute(select(s.wish.c.id)).all() == []
            mine = found.where(d.subscriber == subscriber, m.purpose == "welcome")
            return list(connection.execute(mine.order_by(d.id)).scalars())


@pytest.fixture
def welcomes(post: Post) -> Iterator[_Welcomes]:
    welcomes = _Welcomes(post)
    yield welcomes
    welcomes.database.close()


def test_nobody_gets_an_issue_twice_by_it(welcomes: _Welcomes) -> None:
    for status, expected in (
        (None, [NAME]),
        ("suppressed", [NAME]),
        ("cancelled", [NAME]),
        ("queued", ["greeting"]),
        ("sending", ["greeting"]),
        ("deferred", ["greeting"]),
        ("sent", ["greeting"]),
        ("in_doubt", ["greeting"]),
        ("failed", ["greeting"]),  # which an operator may try again
    ):
        subscriber = welcomes.add(status)
        assert welcomes.welcome(subscriber) == expected, status
        again = welcomes.welcome(subscriber)
        assert again.count(NAME) == expected.count(NAME), status
        assert len(again) <= 2


def test_another_language_is_no_other_issue(welcomes: _Welcomes) -> None:
    subscriber = welcomes.add()
    assert welcomes.welcome(subscriber) == [NAME]
    with welcomes.database.write() as connection:
        connection.execute(update(s.subscriber).values(language="zh"))
    assert welcomes.welcome(subscriber) == [NAME, "greeting"]


def test_there_is_one_mailing_for_all_who_get_the_same(welcomes: _Welcomes) -> None:
    for _ in range(5):
        assert welcomes.welcome(welcomes.add()) == [NAME]
    with welcomes.database.read() as connection:
        mailings = select(s.mailing).where(s.mailing.c.purpose == "welcome")
        (mailing,) = connection.execute(mailings).all()
    assert mailing.recipients == 5
    assert mailing.status == "sending"


def test_who_left_meanwhile_is_not_welcomed(welcomes: _Welcomes) -> None:
    for status in ("unsubscribed", "unconfirmed"):
        assert welcomes.welcome(welcomes.add(confirmed=status)) == []


@pytest.mark.parametrize("gone", ["cancelled", "withdrawn", "nothing was sent"])
def test_without_an_issue_there_are_the_words(gone: str, welcomes: _Welcomes, post: Post) -> None:
    with welcomes.database.write() as connection:
        if gone == "cancelled":
            connection.execute(update(s.mailing).values(status="cancelled"))
        elif gone == "nothing was sent":
            for table in (s.ledger, s.delivery, s.mailing):
                connection.execute(delete(table))
    if gone == "withdrawn":
        (post.folder / "issues" / f"{NAME}.md").rename(post.folder / "other.md")
        (id_,) = {row[0] for row in post.rows("SELECT issue FROM mailing")}
        assert post.cli("withdraw", id_).status == 0
        assert post.cli("build").status == 0
    assert welcomes.welcome(welcomes.add()) == ["greeting"]


def test_without_the_setting_nobody_is_welcomed(site: Site) -> None:
    site.subscribe(BERTA)
    site.ask("POST", site.confirmation(BERTA), b"")
    site.settle()
    with site.readers.database.read() as connection:
        purposes = set(connection.execute(select(s.mailing.c.purpose)).scalars())
    assert purposes == {"confirmation"}


def test_a_correction_goes_also_to_whom_the_issue_welcomed(post: Post) -> None:
    write(post, WRONG)
    welcomes = _Welcomes(post)
    assert welcomes.welcome(welcomes.add()) == [NAME]
    assert post.cli("run", "--once").status == 0
    done = correct(post)
    assert done.mailing is not None
    assert done.mailing.recipients == 2
    about = post.rows(
        "SELECT m.purpose FROM delivery AS d JOIN delivery AS o ON o.id = d.about"
        " JOIN mailing AS m ON m.id = o.mailing ORDER BY 1"
    )
    assert about == [("issue",), ("welcome",)]
    welcomes.database.close()
