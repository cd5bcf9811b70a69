"""Old mailings: their deliveries are folded into totals, and all that they say stays the same."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from publisher.model.delivery import Mailing
from publisher.runtime.start import load_keys
from publisher.settings import load_settings
from publisher.store.contents import list_revisions
from publisher.store.database import Database
from publisher.store.folding import find_foldable, fold_page
from publisher.store.habits import sum_up_mailings
from publisher.store.mailings import count_deliveries, find_mailing_by_slug
from publisher.store.metrics import measure
from publisher.store.results import list_results
from publisher.web.public.consents import Press, press, read_link
from tests.delivery.correcting import RIGHT, WRONG, count, write
from tests.delivery.post import NAME, Post
from tests.inbound.samples import postfix
from tests.smtp.scripted import RESET, Rule, say

ADA, BEN, CLEO, DAN = (f"{name}@reader.example" for name in ("ada", "ben", "cleo", "dan"))
NEXT = "2025-12-16"
_DAYS = timedelta(days=61)


@pytest.fixture
def old(post: Post, monkeypatch: pytest.MonkeyPatch) -> Post:
    """An issue that went to four long ago: one refused it, one bounced, one is in doubt."""
    monkeypatch.setenv("PUBLISHER_DATABASE__KEEP_DELIVERIES", "60d")
    write(post, WRONG)
    post.configure(on_in_doubt="hold")
    post.subscribe([ADA, BEN, CLEO, DAN])
    post.server.rules.append(Rule("rcpt", say("550 5.1.1 nobody"), recipient=BEN, times=1))
    post.server.rules.append(Rule("final_dot", RESET, recipient=DAN, times=1))
    assert post.send().status == 4
    (cleo,) = (each for each in post.server.messages if each.recipients == (CLEO,))
    head = cleo.data.partition(b"\r\n\r\n")[0].decode()
    assert post.cli("bounces", "-", stdin=postfix("daily@daily.example", CLEO, head)).status == 0
    post.cli.issue(NEXT)
    assert post.cli("send", NEXT, "--yes").status == 0
    database = post.open()
    with database.write() as connection:
        past = _DAYS // timedelta(milliseconds=1)
        for table, columns in (
            ("mailing", ("created_at", "finished_at")),
            ("delivery", ("first_attempt_at",)),
            ("ledger", ("at",)),
        ):
            for column in columns:
                which = "id" if table == "mailing" else "mailing"
                connection.exec_driver_sql(
                    f"UPDATE {table} SET {column} = {column} - {past} WHERE {which} ="
                    f" (SELECT id FROM mailing WHERE slug = '{NAME}')"
                )
    database.close()
    return post


def _fold(database: Database, limit: int) -> int:
    """Fold a page of what may be folded; gives how many."""
    now = datetime.now(UTC)
    with database.read() as connection:
        mailing = find_foldable(connection, database.publication, now - timedelta(days=60))
    if mailing is None:
        return 0
    with database.write() as connection:
        return fold_page(connection, database.publication, mailing, now, limit)


def _figures(database: Database) -> dict[str, Any]:
    """All that is counted of mailings, wherever it is shown."""
    publication, now = database.publication, datetime(2100, 1, 1, tzinfo=UTC)
    with database.read() as connection:
        mailing = _mailing(database)
        results = list_results(connection, publication, now, 9)
        measured = measure(connection, publication, now)
        return {
            "counts": count_deliveries(connection, mailing),
            "revisions": list_revisions(connection, mailing),
            "results": [(e.counts, e.bounced, e.complained, e.turned, e.took) for e in results],
            "measured": (measured.deliveries, measured.mailings),
            "habits": sum_up_mailings(connection, publication),
        }


def _mailing(database: Database) -> Mailing:
    with database.read() as connection:
        found = find_mailing_by_slug(connection, database.publication, NAME)
    assert found is not None
    return found


def test_every_figure_is_the_same_before_between_and_behind(old: Post) -> None:
    database = old.open()
    before = _figures(database)
    assert before["counts"].sent == 2
    assert [_fold(database, 1) for _ in range(2)] == [1, 1]
    assert _figures(database) == before  # a kill would leave it here
    assert [_fold(database, 1) for _ in range(3)] == [1, 0, 0]
    assert _figures(database) == before
    database.close()
    assert old.rows("SELECT word, number FROM mailing_total ORDER BY word, number") == [
        ("bounced", 1),
        ("failed", 1),
        ("sent", 2),
    ]


def test_run_folds_what_is_old_and_leaves_doubts_and_what_is_new(old: Post) -> None:
    done = old.cli("run", "--once")
    assert done.status == 0
    assert f"{NAME}: its 4 deliveries ended more than 60d ago" in done.err
    left = "SELECT m.slug, d.status FROM delivery AS d JOIN mailing AS m ON m.id = d.mailing"
    rows = sorted(row for row in old.rows(left) if row[0] in (NAME, NEXT))
    assert rows == [(NAME, "in_doubt"), *([(NEXT, "sent")] * 3)]
    its = f"(SELECT id FROM mailing WHERE slug = '{NAME}')"
    lines = f"SELECT event FROM ledger WHERE mailing = {its}"
    events = {event for (event,) in old.rows(lines)}
    assert events == {"started", "finished", "doubted"}
    assert old.counts() == {"sent": 2, "failed": 1, "in_doubt": 1}
    assert old.status()["folded"]
    assert f"{NAME}: finished; folded: 2 sent" in old.cli("status").out


def test_the_list_of_deliveries_says_that_there_are_totals_only(old: Post) -> None:
    old.cli("run", "--once")
    listed = old.cli("deliveries", NAME, "--json").json
    assert [each["email"] for each in listed["deliveries"]] == [DAN]
    assert listed["folded"]["counts"] == {"sent": 2, "failed": 1}
    said = old.cli("deliveries", NAME)
    assert "of what is not above there are totals only" in said.err


def test_a_doubt_is_settled_later_and_folded_when_that_is_old(old: Post) -> None:
    old.cli("run", "--once")
    assert old.cli("resolve", NAME, "--resend").status == 0
    assert old.send().status == 0
    assert old.counts() == {"sent": 3, "failed": 1}
    assert old.cli("retry", NAME).status == 5  # whose it was is not known


def test_nothing_is_folded_without_the_setting(old: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBLISHER_DATABASE__KEEP_DELIVERIES")
    old.cli("run", "--once")
    assert old.rows("SELECT count(*) FROM mailing_fold") == [(0,)]
    assert "folded" not in old.status()


def test_links_in_old_messages_still_end_a_subscription(old: Post) -> None:
    (ada,) = (each for each in old.messages()[:2] if each["To"] == ADA)
    old.cli("run", "--once")
    found = re.search(r"/unsubscribe/([\w-]+)", "".join(str(ada["List-Unsubscribe"]).split()))
    assert found is not None
    token = found[1]
    database, now = old.open(), datetime.now(UTC)
    keys = load_keys(database, load_settings(old.folder / "publisher.toml", {})).links
    link = read_link(token, "unsubscribe", keys)
    assert link is not None
    with database.write() as connection:
        pressed = Press(at=now, source="one-click", client="")
        seen = press(connection, database.publication, link, pressed, None)
    database.close()
    assert seen.kind == "ended"
    statuses = old.cli("subscribers", "list", "--json").json["subscribers"]
    assert [e["status"] for e in statuses if e["email"] == ADA] == ["unsubscribed"]


def test_a_late_report_about_a_folded_delivery_is_answered(old: Post) -> None:
    (ada,) = (each for each in old.server.messages[:2] if each.recipients == (ADA,))
    old.cli("run", "--once")
    head = ada.data.partition(b"\r\n\r\n")[0].decode()
    done = old.cli("bounces", "-", "--json", stdin=postfix("daily@daily.example", ADA, head))
    assert done.status == 0
    assert "it names no delivery of ours" in done.out


def test_a_correction_says_that_nobody_is_known_any_more(old: Post) -> None:
    old.cli("run", "--once")
    write(old, RIGHT)
    done = old.cli("correct", NAME, "--note", "At nine.", "--mail", "--yes")
    # Dan may have it, whose delivery is in doubt.
    assert "2 were sent another text so long ago" in done.err
    assert "1 were sent another text of" in done.err
    assert count(old) == 1
