"""Over a year no reader shows an entry twice, or misses one that was there when it asked."""

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.preflight.feed_readers import READERS
from publisher.preflight.feed_readers.documents import read_document
from publisher.preflight.feed_readers.reader import Reader
from tests.readers.archive_following import ArchiveFollowing
from tests.readers.following import Complaint, Follower, Habit, Server, follow, token_of_item
from tests.readers.publishing import Publishing
from tests.readers.scenes import BASE, BEGINNING, FEEDS, SUFFIXES, Scene

# What brings entries back into a feed that they had left: an older issue becomes the newest again.
RETURNING = ("dated", "restored", "built upon")
# A tag's feed does not know which of the issues that were taken back bore the tag.
RETURNING_IN_TAGS = (*RETURNING, "tagged", "withdrew")
# And after a pause the five issues that a feed has at least are more than its window.
_LEAST = 5


def habits(days: int, rng: random.Random) -> list[Habit]:
    """Every ten minutes, hourly, daily, and daily but away for three weeks."""
    begins = BEGINNING + timedelta(minutes=rng.randint(0, 60))
    later = begins + timedelta(days=rng.randint(3, days // 2))
    left = begins + timedelta(days=rng.randint(5, max(6, days - 25)))
    away = ((left, left + timedelta(days=21)),)
    hour, day = timedelta(hours=1), timedelta(days=1)
    return [
        Habit(name="every ten minutes", every=hour / 6, begins=begins),
        Habit(name="hourly", every=hour, begins=begins),
        Habit(name="daily", every=day, begins=begins),
        Habit(name="hourly, later", every=hour, begins=later),
        Habit(name="away for three weeks", every=day, begins=begins, away=away),
    ]


def everybody(days: int, seed: int, server: Server, stems: Iterable[str] = FEEDS) -> list[Follower]:
    """Every reader with every feed in every format that it reads, each with a habit by chance."""
    rng = random.Random(seed)
    kinds = habits(days, rng)
    makers: list[Callable[[], Reader]] = [*READERS, lambda: ArchiveFollowing(server.fetch)]
    return [
        Follower(make(), stem, suffix, BASE, rng.choice(kinds))
        for make in makers
        for stem in stems
        for suffix in make().formats
    ]


def check_documents(scenes: Iterable[Scene]) -> Iterator[Scene]:
    """The three formats hold what they must in its order, and nothing that was taken back."""
    for scene in scenes:
        for stem in FEEDS:
            promised = [entry.token for entry in scene.live[stem]]
            for suffix in SUFFIXES:
                body = scene.bodies.get(f"{stem}.{suffix}")
                items = read_document(body).items if body else ()
                assert [token_of_item(item) for item in items] == promised, (scene.did, stem)
        if not scene.did.startswith("restored"):
            archived = [b for path, b in scene.bodies.items() if path.startswith("archive/")]
            found = [token_of_item(item) for body in archived for item in read_document(body).items]
            assert not scene.withdrawn & set(found)
        yield scene


def find_lost(scenes: list[Scene], follower: Follower) -> set[str]:
    """What somebody who follows the archive never saw.

    Left out is what was first published outside the live feed, an issue of three weeks ago: the
    archive's documents of that time are known already, and are not read again.
    """
    ever: set[str] = set()
    buried: set[str] = set()
    for scene in scenes:
        live = {entry.token for entry in scene.live[follower.stem]}
        buried |= scene.whole[follower.stem] - ever - live
        ever |= scene.whole[follower.stem]
    return set(scenes[-1].whole[follower.stem]) - follower.shown.keys() - buried


def find_return(scenes: list[Scene], follower: Follower, complaint: Complaint) -> Scene:
    """The scene in which an entry came back that a reader had forgotten."""
    found, is_live = scenes[0], False
    for scene in scenes:
        if scene.now > complaint.at:
            break
        is_there = complaint.token in {entry.token for entry in scene.live[follower.stem]}
        found = scene if is_there and not is_live else found
        is_live = is_there
    return found


def is_promised(scene: Scene, follower: Follower) -> bool:
    """Tell whether it is said that entries may come back then."""
    is_tag = follower.stem.startswith("tags/")
    is_short = len(scene.live["issues"]) <= _LEAST and scene.did.startswith("withdrew")
    return is_short or scene.did.startswith(RETURNING_IN_TAGS if is_tag else RETURNING)


def complaints(followers: list[Follower]) -> list[Complaint]:
    return [complaint for follower in followers for complaint in follower.complaints]


def live_through(folder: Path, seed: int, days: int, acts: float = 0.4) -> None:
    server = Server()
    followers = everybody(days, seed, server)
    publishing = Publishing(folder, seed, acts=acts)
    scenes = follow(check_documents(publishing.scenes(days)), followers, server)
    assert complaints(followers) == []
    for follower in followers:
        assert follower.shown, (follower.path, follower.habit)
        for complaint in follower.again:
            assert is_promised(find_return(scenes, follower, complaint), follower), complaint
        if isinstance(follower.reader, ArchiveFollowing):
            assert find_lost(scenes, follower) == set(), (follower.path, follower.habit)


def test_nobody_complains_over_five_weeks(tmp_path: Path) -> None:
    live_through(tmp_path, seed=1, days=35)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 150))
def test_nobody_complains_over_a_quarter(tmp_path: Path, seed: int) -> None:
    live_through(tmp_path, seed, days=91, acts=0.8)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200, 210))
def test_nobody_complains_over_a_year(tmp_path: Path, seed: int) -> None:
    live_through(tmp_path, seed, days=365)
