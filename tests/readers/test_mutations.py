"""The readers here can complain: each fault that is put into the feeds is found by some of them."""

from collections import Counter
from datetime import timedelta

import pytest

from publisher.preflight.feed_readers import READERS
from publisher.preflight.feed_readers.documents import Format
from publisher.preflight.feed_readers.reader import Answer
from tests.readers.archive_following import ArchiveFollowing
from tests.readers.following import Follower, Habit, Server, follow
from tests.readers.mutations import EACH, mutate
from tests.readers.publishing import Publishing
from tests.readers.scenes import BASE, BEGINNING, Scene
from tests.readers.test_a_year_of_publishing import (
    check_documents,
    complaints,
    find_lost,
)
from tests.sampling import one_in

DAYS = 44


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    """Six weeks in which everything happens and nothing is wrong."""
    publishing = Publishing(tmp_path_factory.mktemp("history"), seed=7, acts=0.5)
    return list(check_documents(publishing.scenes(DAYS)))


# Of the formats that a reader takes, one: that in which most can be hidden from it.
FORMATS: dict[str, Format] = {
    "Miniflux": "json",
    "FreshRSS": "rss",
    "NetNewsWire": "atom",
    "Feedly": "rss",
    "Rss2Email": "rss",
    "LemonReader": "json",
    "Newsboat": "atom",
    "Thunderbird": "rss",
    "FeedMail": "atom",
}


def people(server: Server) -> list[Follower]:
    """Every reader with the feed of highlights, by the hour; and one who was away for weeks."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    begins = BEGINNING + timedelta(minutes=5)
    left = begins + timedelta(days=12)
    hourly = Habit(name="hourly", every=hour, begins=begins)
    away = Habit(name="away", every=day, begins=begins, away=((left, left + 28 * day),))
    return [
        *(Follower(kind(), "feed", FORMATS[kind.__name__], BASE, hourly) for kind in READERS),
        Follower(ArchiveFollowing(server.fetch), "feed", "atom", BASE, away),
        Follower(ArchiveFollowing(server.fetch), "feed", "rss", BASE, hourly),
    ]


def found_by(scenes: list[Scene], server: Server) -> Counter[str]:
    """How many complaints there are, by the readers' names."""
    followers = people(server)
    follow(scenes, followers, server)
    found = Counter(complaint.who.partition(",")[0] for complaint in complaints(followers))
    for follower in followers:
        if isinstance(follower.reader, ArchiveFollowing):
            found["ArchiveFollowing"] += len(find_lost(scenes, follower))
    return +found


def test_without_a_fault_nobody_complains(history: list[Scene]) -> None:
    assert found_by(history, Server()) == {}


@pytest.mark.parametrize("fault", one_in(4, EACH))
def test_a_fault_is_found(history: list[Scene], fault: str) -> None:
    change, finder = EACH[fault]
    found = found_by(mutate(history, change), Server())
    assert found[finder], f"found by {dict(found)}"


class Stuck(Server):
    """A server whose validators do not change when a document does."""

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        answer = super().answer(path, {})
        if headers or answer.status != 200:
            return Answer(status=304)
        return Answer(status=200, body=answer.body, etag='"1"', last_modified=answer.last_modified)


def test_validators_that_do_not_change_are_found(history: list[Scene]) -> None:
    assert len(found_by(history, Stuck())) == len(READERS) + 1
