"""Changing one's address: asked for in the preferences, confirmed at the new one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from publisher.store import schema as s
from publisher.store import suppressions
from publisher.store.bounces import find_reached
from publisher.store.deliveries import take
from publisher.web.public.granting import MOVES_A_DAY
from tests.audience.readers import NOON
from tests.web.public.site import Site, at_once, run_site, wait_until

ANNA, BERTA, NEW = "anna@daily.example", "berta@daily.example", "anna@new.example"


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Site]:
    with run_site(tmp_path) as site:
        for email in (ANNA, BERTA):
            site.add(email)
        yield site


def settle(site: Site) -> None:
    """Wait until no wish is left."""

    def look() -> bool | None:
        with site.readers.database.read() as connection:
            return connection.execute(select(s.wish.c.id)).first() is None or None

    wait_until(look)


def test_it_changes_once_the_new_one_has_confirmed(anna: Site) -> None:
    before = anna.readers.get(ANNA)
    preferences = anna.preferences(ANNA)
    assert "is on its way there" in anna.act(preferences, "address", email=NEW).text
    link = anna.mailed("address", ANNA)
    assert set(anna.deliveries("address", ANNA).values()) == {NEW}
    assert anna.readers.get(ANNA) == before
    shown = anna.get(link)
    assert (shown.status, shown.title) == (200, "Use this address?")
    assert NEW in shown.text
    assert ANNA not in shown.text
    assert anna.ask("POST", link, b"").title == "Your address was changed"
    after = anna.readers.get(NEW)
    assert (after.id, after.ref, after.status) == (before.id, before.ref, "confirmed")
    assert [(each.action, each.source) for each in anna.readers.record(NEW)] == [
        ("vouched", "operator"),
        ("confirmed", "address"),
    ]
    assert set(anna.deliveries("notice", NEW).values()) == {ANNA}
    assert anna.get(preferences).status == 404
    assert anna.ask("POST", link, b"").title == "Your address was changed"  # pressed twice
    assert len(anna.deliveries("notice", NEW)) == 1


def test_an_address_of_somebody_else_is_answered_alike_and_never_written_to(anna: Site) -> None:
    for email in ("left@daily.example", "bounced@daily.example"):
        anna.add(email)
    anna.leave("left@daily.example")
    database = anna.readers.database
    with database.write() as connection:
        for email in ("bounced@daily.example", "stranger@daily.example"):
            hash = anna.readers.hash(email)
            suppressions.suppress(connection, database.publication, hash, "bounce", NOON)
    link = anna.preferences(ANNA)
    others = (BERTA, "left@daily.example", "bounced@daily.example", "stranger@daily.example")
    answers = set()
    for email in (*others, ANNA, NEW):
        with database.write() as connection:
            connection.execute(s.request.delete())  # it is not the limit that is looked at here
        answers.add(anna.act(link, "address", email=email).body)
        settle(anna)
    assert len(answers) == 1
    assert set(anna.deliveries("address", ANNA).values()) == {NEW}


def test_who_never_confirmed_has_no_record_that_stands_in_the_way(anna: Site) -> None:
    anna.subscribe(NEW)
    stale = anna.confirmation(NEW)
    anna.act(anna.preferences(ANNA), "address", email=NEW)
    assert anna.ask("POST", anna.mailed("address", ANNA), b"").title == "Your address was changed"
    assert len(anna.readers.all()) == 2
    assert anna.get(stale).status == 404


def test_who_left_is_not_forgotten_because_a_stranger_typed_their_address(anna: Site) -> None:
    anna.add(NEW)
    anna.leave(NEW)
    anna.subscribe(NEW)
    anna.confirmation(NEW)
    before = anna.readers.record(NEW)
    anna.act(anna.preferences(ANNA), "address", email=NEW)
    settle(anna)
    assert anna.deliveries("address", ANNA) == {}
    assert anna.readers.record(NEW) == before


def test_where_the_new_one_was_erased_meanwhile_its_link_has_ended(anna: Site) -> None:
    """Its owner is known by a record of their own, and what went there is erased with it."""
    anna.act(anna.preferences(ANNA), "address", email=NEW)
    link = anna.mailed("address", ANNA)
    anna.subscribe(NEW)
    anna.confirmation(NEW)
    with anna.readers.database.write() as connection:
        connection.execute(s.request.delete())
    assert anna.act(anna.preferences(NEW), "erase").title == "Everything is erased"
    for method in ("GET", "POST"):
        answer = anna.ask(method, link, b"" if method == "POST" else None)
        assert (answer.status, answer.title) == (404, "This link does not work any more")
    with anna.readers.database.write() as connection:
        ids = list(anna.deliveries("address", ANNA))
        publication = anna.readers.database.publication
        assert take(connection, publication, ids, datetime.now(UTC), {})[0] == []
    assert anna.readers.get(ANNA).status == "confirmed"


def test_of_two_people_for_one_address_the_first_gets_it(anna: Site) -> None:
    links = []
    for email in (ANNA, BERTA):
        with anna.readers.database.write() as connection:
            connection.execute(s.request.delete())
        anna.act(anna.preferences(email), "address", email=NEW)
        links.append(anna.mailed("address", email))
    statuses = at_once(8, lambda n: anna.ask("POST", links[n % 2], b"").status)
    assert sorted(set(statuses)) == [200, 404]
    emails = [one.email for one in anna.readers.all()]
    assert emails.count(NEW) == 1
    assert len(emails) == 2
    assert NEW in emails


def test_somebody_who_subscribed_there_meanwhile_keeps_it(anna: Site) -> None:
    anna.act(anna.preferences(ANNA), "address", email=NEW)
    link = anna.mailed("address", ANNA)
    anna.add(NEW)
    assert anna.ask("POST", link, b"").status == 404
    assert anna.readers.get(ANNA).status == "confirmed"


@pytest.mark.parametrize("ending", ["a day", "leaving", "the link", "erasing", "moving"])
def test_what_was_asked_for_ends(ending: str, anna: Site) -> None:
    preferences = anna.preferences(ANNA)
    anna.act(preferences, "address", email=NEW)
    link = anna.mailed("address", ANNA)
    if ending == "a day":
        anna.age(timedelta(hours=24, minutes=1))
    elif ending == "leaving":
        anna.leave(ANNA)
    elif ending == "moving":
        anna.act(preferences, "address", email="other@new.example")
        other = anna.mailed("address", ANNA, int(max(anna.deliveries("address", ANNA))))
        anna.ask("POST", other, b"")
    else:
        anna.act(preferences, "close" if ending == "the link" else "erase")
    for method in ("GET", "POST"):
        assert anna.ask(method, link).status == 404
    assert NEW not in [one.email for one in anna.readers.all()]


def test_so_many_a_day(anna: Site) -> None:
    link = anna.preferences(ANNA)
    for number in range(MOVES_A_DAY + 2):
        anna.act(link, "address", email=f"a{number}@new.example")
    settle(anna)
    assert len(anna.deliveries("address", ANNA)) == MOVES_A_DAY
    other = anna.preferences(BERTA)
    anna.act(other, "address", email="a0+x@new.example")  # which got one today
    settle(anna)
    assert anna.deliveries("address", BERTA) == {}


def test_a_slip_changes_nothing_and_is_said(anna: Site) -> None:
    link = anna.preferences(ANNA)
    before = anna.state()
    for slip in ("", "anna@", "<b>@x"):
        answer = anna.act(link, "address", email=slip)
        assert answer.status == 422
        assert 'role="alert"' in answer.text
        assert "is on its way" not in answer.text
    assert anna.state() == before


def test_erasing_reaches_both_addresses(anna: Site) -> None:
    anna.act(anna.preferences(ANNA), "address", email=NEW)
    anna.ask("POST", anna.mailed("address", ANNA), b"")
    anna.act(anna.preferences(NEW), "erase")
    for email in (ANNA, NEW):
        wait_until(lambda: email.encode() not in anna.readers.bytes_on_disk() or None)  # noqa: B023


def test_what_comes_back_from_the_old_address_says_nothing_of_the_new(anna: Site) -> None:
    """A failure that is reported late, for a message that went to the mailbox that was closed."""
    preferences = anna.preferences(ANNA)
    sent = max(anna.deliveries("preferences", ANNA))
    with anna.readers.database.write() as connection:
        connection.execute(update(s.delivery).values(status="sent"))
    anna.act(preferences, "address", email=NEW)
    anna.ask("POST", anna.mailed("address", ANNA), b"")
    database = anna.readers.database
    with database.read() as connection:
        for number in (sent, *anna.deliveries("address", NEW), *anna.deliveries("notice", NEW)):
            reached = find_reached(connection, database.publication, number)
            assert reached is not None
            assert (reached.subscriber, reached.address_hash) == (None, None)
            assert reached.address == (NEW if number in anna.deliveries("address", NEW) else ANNA)
