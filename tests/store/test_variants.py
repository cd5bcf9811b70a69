"""Who gets which variant of a mailing: random readers and issues, against a plain oracle."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from publisher.audience.choosing import merge
from publisher.model.audience import Consent
from publisher.model.choices import CONTENTS, FREQUENCIES, Choices, Definition
from publisher.model.issue import Highlight, Issue, Tag
from publisher.rehearsal.world import PUBLICATION, Disk
from publisher.site.variants import choose
from publisher.store.starting import NewMailing, start_issue_mailing
from publisher.store.subscribers import NewSubscriber, add_all
from publisher.store.variants import NewContent, count_audience, split, write_choices

NOW = datetime(2025, 12, 15, 6, tzinfo=UTC)
ALL_TAGS = tuple(f"t{number:02}" for number in range(14))
CHOICES = st.builds(
    Choices,
    content=st.sampled_from(CONTENTS),
    tags=st.lists(st.sampled_from(ALL_TAGS[:5]), unique=True).map(lambda tags: tuple(sorted(tags))),
    frequency=st.sampled_from(FREQUENCIES),
)
TAGS = st.lists(st.sampled_from(ALL_TAGS[:5]), unique=True, max_size=3)


class Offered:
    """An issue as a mailing takes it; its content says what it is of."""

    def __init__(
        self, tags: Iterable[str], highlights: Iterable[Iterable[str]], weekly: bool
    ) -> None:
        self.has_weekly, self.issue_id = weekly, "x"
        self.tags = set(tags)
        self.highlights = {f"h{n}": set(each) for n, each in enumerate(highlights)}
        self.made = Counter[Definition]()
        self.issue = Issue(
            slug="x",
            path="issues/x.md",
            tags=_make_tags(tags),
            highlights=tuple(
                Highlight(id=id_, title="", tags=_make_tags(each))
                for id_, each in self.highlights.items()
            ),
        )

    def define(self, choices: Iterable[Choices]) -> Definition | None:
        return choose(self.issue, merge(choices))

    def make(self, definition: Definition) -> NewContent:
        self.made[definition] += 1
        return NewContent(version="", digest=str(definition), content=str(definition).encode())

    def wanted(self, choices: Choices) -> tuple[str, ...] | None:
        """What somebody wants of it, worked out once more; None for those who get the weekly."""
        if self.has_weekly and choices.frequency == "weekly":
            return None
        chosen = set(choices.tags)
        return tuple(
            id_
            for id_, tags in self.highlights.items()
            if not chosen or chosen & (tags | self.tags)
        )


def _make_tags(slugs: Iterable[str]) -> tuple[Tag, ...]:
    return tuple(Tag(slug, slug) for slug in slugs)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    return Disk(tmp_path_factory.mktemp("variants"))


def _subscribe(connection: Connection, chosen: list[Choices]) -> None:
    new = [
        NewSubscriber(
            ref=f"r{number}",
            email=f"r{number}@reader.example",
            name="",
            address_hash=b"%d" % number,
            **write_choices(each),
        )
        for number, each in enumerate(chosen)
    ]
    consent = Consent(at=NOW, action="vouched", source="operator", origin="")
    add_all(connection, PUBLICATION, new, consent)


def _start(connection: Connection, offered: Offered, **how: object) -> int:
    new = NewMailing(
        ref="m",
        issue="i",
        slug="x",
        purpose="issue",
        digest="whole",
        content=b"whole",
        domain="daily.example",
        variants=offered,
        **how,  # type: ignore[arg-type]
    )
    return start_issue_mailing(connection, PUBLICATION, new, NOW).recipients


_GOT = """
    SELECT s.email, COALESCE(c.form, 'full'), COALESCE(c.highlights, ''), d.variant
    FROM delivery AS d JOIN subscriber AS s ON s.id = d.subscriber
    LEFT JOIN mailing_content AS c ON c.mailing = d.mailing AND c.variant = d.variant
        AND c.revision = 0
    ORDER BY d.id
"""


def _require_right(disk: Disk, offered: Offered, chosen: list[Choices], recipients: int) -> None:
    """Each gets exactly what they chose, once, and nobody is left out."""
    expected = {}
    for number, each in enumerate(chosen):
        ids = offered.wanted(each)
        if ids or (ids is not None and not each.tags):
            expected[f"r{number}@reader.example"] = (each.content, ids)
    rows = disk.run(_GOT)
    every = tuple(offered.highlights)
    got = {email: (form, split(ids) or every) for email, form, ids, _ in rows}
    assert got == expected
    assert len(rows) == len(got) == recipients
    # What is the whole costs no content of its own, and what is the same is made once.
    assert all(not variant for _, form, ids, variant in rows if form == "full" and not ids)
    assert not offered.made or max(offered.made.values()) == 1
    assert len(offered.made) == len({row[1:3] for row in rows if row[3]})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    chosen=st.lists(CHOICES, max_size=25),
    tags=st.lists(st.sampled_from(ALL_TAGS[:5]), unique=True, max_size=1),
    highlights=st.lists(TAGS, max_size=5),
    weekly=st.booleans(),
    canary=st.integers(0, 3),
    seeds=st.lists(st.integers(0, 24), max_size=2, unique=True),
)
def test_each_gets_what_they_chose_and_nobody_is_left_out(
    disk: Disk,
    chosen: list[Choices],
    tags: list[str],
    highlights: list[list[str]],
    weekly: bool,
    canary: int,
    seeds: list[int],
) -> None:
    disk.clear()
    offered = Offered(tags, highlights, weekly)
    known = [n for n in seeds if n < len(chosen)]
    with disk.writing() as connection:
        _subscribe(connection, chosen)
        audience = count_audience(connection, PUBLICATION, offered, NOW)
        emails = tuple(f"r{number}@reader.example" for number in known)
        recipients = _start(connection, offered, canary=canary, seeds=emails)
    _require_right(disk, offered, chosen, recipients)
    assert audience.total == recipients
    nothing = [each for each in chosen if offered.wanted(each) == () and each.tags]
    assert audience.others == len(nothing)


def test_ten_thousand_different_choices_are_few_variants(disk: Disk) -> None:
    disk.clear()
    sets = [tags for size in range(15) for tags in combinations(ALL_TAGS, size)]
    chosen = [Choices(tags=tags, content=CONTENTS[n % 2]) for n, tags in enumerate(sets)][:10_000]
    assert len(set(chosen)) == 10_000
    offered = Offered([], [[tag] for tag in ALL_TAGS[:4]], weekly=False)
    with disk.writing() as connection:
        _subscribe(connection, chosen)
        recipients = _start(connection, offered)
    _require_right(disk, offered, chosen, recipients)
    assert len(offered.made) <= 2 * 2**4


def test_where_nobody_chose_nothing_is_looked_at_or_kept(disk: Disk) -> None:
    disk.clear()
    offered = Offered([], [["t01"]], weekly=False)
    with disk.writing() as connection:
        _subscribe(connection, [Choices()] * 5)
        assert _start(connection, offered) == 5
    assert disk.run("SELECT * FROM mailing_choice") == []
    assert disk.run("SELECT * FROM mailing_content") == []
    plan = disk.run(
        "EXPLAIN QUERY PLAN SELECT content, tags, count(*) FROM subscriber WHERE publication = 1"
        " AND (content <> 'full' OR tags <> '' OR frequency <> 'daily')"
        " AND status = 'confirmed' GROUP BY content, tags"
    )
    assert "subscriber_who_chose" in str(plan)


def test_the_database_refuses_what_is_no_choice(disk: Disk) -> None:
    disk.clear()
    with disk.writing() as connection:
        _subscribe(connection, [Choices()])
    for column in ("content", "frequency"):
        with (
            pytest.raises(Exception, match="CHECK constraint failed"),
            disk.writing() as connection,
        ):
            connection.exec_driver_sql(f"UPDATE subscriber SET {column} = 'other'")
