"""Readers who pause: no issue that starts meanwhile, and none whose turn has not come yet."""

from datetime import UTC, datetime, timedelta

from publisher.store import schema as s
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import Rule, say

ADA, BEN, CLEO = "ada@reader.example", "ben@leser.example", "cleo@reader.example"
DAY = timedelta(days=1)


def _pause(post: Post, email: str, until: datetime | None) -> None:
    database = post.open()
    with database.write() as connection:
        changed = s.subscriber.update().where(s.subscriber.c.email == email)
        connection.execute(changed.values(paused_until=until))
    database.close()


def test_who_has_paused_is_no_recipient(post: Post) -> None:
    post.subscribe([ADA, BEN, CLEO])
    _pause(post, ADA, datetime.now(UTC) + DAY)
    _pause(post, BEN, datetime.now(UTC) - DAY)
    assert post.cli("send", NAME, "--dry-run", "--json").json["recipients"] == 2
    assert post.send().status == 0
    assert post.arrived() == {BEN: 1, CLEO: 1}
    assert post.counts() == {"sent": 2}
    _pause(post, ADA, None)
    assert post.send().status == 5  # what was passed over is not made up for
    assert post.arrived() == {BEN: 1, CLEO: 1}


def test_who_pauses_before_their_turn_gets_nothing(post: Post) -> None:
    post.subscribe([ADA, BEN])
    post.server.rules.append(Rule("rcpt", say("450 later"), times=2))
    assert post.send().status == 3
    _pause(post, ADA, datetime.now(UTC) + DAY)
    post.make_due()
    assert post.send().status == 0
    assert post.arrived() == {BEN: 1}
    assert post.counts() == {"sent": 1, "suppressed": 1}


def test_who_goes_on_before_their_turn_gets_it(post: Post) -> None:
    post.subscribe([ADA])
    post.server.rules.append(Rule("rcpt", say("450 later"), times=1))
    assert post.send().status == 3
    _pause(post, ADA, datetime.now(UTC) + DAY)
    _pause(post, ADA, None)
    post.make_due()
    assert post.send().status == 0
    assert post.arrived() == {ADA: 1}


def test_where_everybody_has_paused_nobody_is_there(post: Post) -> None:
    post.subscribe([ADA])
    _pause(post, ADA, datetime.now(UTC) + DAY)
    post.send()
    assert post.arrived() == {}
