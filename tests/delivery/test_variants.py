"""What readers chose, sent for real: to each exactly that, and nobody else's."""

from datetime import UTC, datetime

import pytest

from publisher.audience.choosing import read_tags
from publisher.model.choices import Choices
from publisher.runtime.issue_mailing import make_ahead
from publisher.runtime.newsroom import Folder
from publisher.settings import load_settings
from publisher.store.starting import start_issue_mailing
from tests.delivery.choosing import HIGHLIGHTS, OFFER, body, choose, read_text, subscribe, write
from tests.delivery.correcting import note
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import Rule, say

ADA, BEN, CLEO, DAN, EVE = (
    f"{name}@reader.example" for name in ("ada", "ben", "cleo", "dan", "eve")
)
SHIPS, FILMS, ECONOMY, ARABIC = (
    read_tags([label])[0] for label in ("ships", "电影", "Economy", "اقتصاد")
)
WHOLE = Choices()
HEADLINES = Choices(content="headlines")


def of(*tags: str, content: str = "full") -> Choices:
    return Choices(content=content, tags=tuple(sorted(tags)))  # type: ignore[arg-type]


@pytest.fixture
def chosen(post: Post) -> Post:
    """A publication that offers topics, with an issue that has some."""
    post.configure(OFFER)
    write(post)
    return post


def got(post: Post) -> dict[str, list[str]]:
    """Whose messages have which highlights in them, and `*` for each that has its body."""
    found: dict[str, list[str]] = {}
    for message, arrived in zip(post.messages(), post.server.messages, strict=True):
        text = read_text(message)
        parts = [
            f"{id_}*" if f"All about {title.lower()}." in text else id_
            for id_, (title, _) in HIGHLIGHTS.items()
            if title in text
        ]
        found.setdefault(arrived.recipients[0], []).extend(parts)
    return found


def test_each_gets_what_they_chose_and_nothing_else(chosen: Post) -> None:
    readers = {
        ADA: WHOLE,
        BEN: HEADLINES,
        CLEO: of(SHIPS),
        DAN: of(ECONOMY, ARABIC, content="headlines"),
        EVE: of(ARABIC),
    }
    subscribe(chosen, readers)
    sent = chosen.send()
    assert sent.status == 0
    assert sent.json["counts"]["sent"] == 4
    assert got(chosen) == {
        ADA: ["h1*", "h2*", "h3*"],
        BEN: ["h1", "h2", "h3"],
        CLEO: ["h1*", "h2*"],
        DAN: ["h3"],
    }
    assert "1 chose other topics" in str(
        chosen.rows("SELECT reply FROM ledger WHERE event = 'started'")
    )
    again = chosen.send()
    assert (again.status, len(chosen.server.messages)) == (5, 4)


@pytest.mark.long
def test_a_choice_after_the_start_changes_nothing_that_is_enqueued(chosen: Post) -> None:
    subscribe(chosen, {ADA: of(SHIPS), BEN: WHOLE})
    chosen.server.rules.append(Rule("rcpt", say("450 later"), times=2))
    assert chosen.send().status == 3
    choose(chosen, {ADA: of(ECONOMY), BEN: HEADLINES})
    chosen.make_due()
    assert chosen.cli("run", "--once").status == 0
    assert got(chosen) == {ADA: ["h1*", "h2*"], BEN: ["h1*", "h2*", "h3*"]}


def test_what_is_not_offered_any_more_is_as_if_not_chosen(chosen: Post) -> None:
    subscribe(chosen, {ADA: of(SHIPS), BEN: HEADLINES, CLEO: of(SHIPS, ECONOMY)})
    chosen.configure('[choices]\nheadlines = false\ntags = ["economy"]\n')
    assert chosen.send().status == 0
    whole = ["h1*", "h2*", "h3*"]
    assert got(chosen) == {ADA: whole, BEN: whole, CLEO: ["h3*"]}


def test_where_nobody_chose_any_of_it_nothing_is_started(chosen: Post) -> None:
    subscribe(chosen, {ADA: of(ARABIC)})
    sent = chosen.send()
    assert sent.status == 5
    assert "1 chose others" in sent.err
    assert chosen.rows("SELECT id FROM mailing") == []


@pytest.mark.long
def test_it_says_before_in_what_forms_it_goes_out(chosen: Post) -> None:
    subscribe(
        chosen, {ADA: WHOLE, BEN: HEADLINES, CLEO: of(SHIPS), DAN: of(FILMS), EVE: of(ARABIC)}
    )
    dry = chosen.cli("send", NAME, "--dry-run")
    detail = "1 whole, 1 headlines, 2 of chosen topics in 2 variants; 1 chose other topics"
    assert detail in dry.out
    assert detail in chosen.send().err
    assert len(chosen.server.messages) == 4


@pytest.mark.long
def test_seeds_and_canaries_get_what_they_chose(chosen: Post) -> None:
    subscribe(chosen, {ADA: of(SHIPS), BEN: of(ECONOMY), CLEO: of(ARABIC), DAN: HEADLINES})
    chosen.configure(OFFER, canary=1, canary_wait="0s", seeds=[BEN, "seed@ops.example"])
    assert chosen.send().status == 0
    assert got(chosen) == {
        ADA: ["h1*", "h2*"],
        BEN: ["h3*"],
        DAN: ["h1", "h2", "h3"],
        "seed@ops.example": ["h1*", "h2*", "h3*"],
    }


def _put_off(post: Post, *late: str) -> None:
    post.server.rules.extend(
        Rule("rcpt", say("450 later"), recipient=each, times=1) for each in late
    )
    assert post.send().status == 3
    post.make_due()


def _go_on(post: Post) -> None:
    assert post.cli("run", "--once").status == 0


def test_what_is_left_of_each_variant_is_sent_corrected(chosen: Post) -> None:
    subscribe(chosen, {ADA: of(SHIPS), BEN: of(SHIPS), CLEO: HEADLINES, DAN: WHOLE})
    _put_off(chosen, BEN, CLEO)
    before = len(chosen.server.messages)
    write(chosen, more=" Corrected.")
    note(chosen, is_mailed=False)
    _go_on(chosen)
    late = chosen.server.messages[before:]
    assert {each.recipients[0]: b"Corrected." in each.data for each in late} == {
        BEN: True,
        CLEO: False,
    }
    assert got(chosen) == {
        ADA: ["h1*", "h2*"],
        BEN: ["h1*", "h2*"],
        CLEO: ["h1", "h2", "h3"],
        DAN: ["h1*", "h2*", "h3*"],
    }


def test_where_a_correction_leaves_nothing_of_a_variant_nothing_is_sent(chosen: Post) -> None:
    subscribe(chosen, {ADA: of(ECONOMY), BEN: of(ECONOMY), CLEO: of(SHIPS, ECONOMY), DAN: WHOLE})
    _put_off(chosen, BEN, CLEO, DAN)
    assert chosen.cli("withdraw", "h3").status == 0
    write(chosen, ("h1", "h2"), more=" Corrected.")
    note(chosen, is_mailed=False)
    _go_on(chosen)
    assert got(chosen) == {
        ADA: ["h3*"],
        CLEO: ["h1*", "h2*"],
        DAN: ["h1*", "h2*"],
    }
    assert chosen.counts() == {"sent": 3, "cancelled": 1}
    assert chosen.rows("SELECT count(*) FROM ledger WHERE event = 'emptied'") == [(1,)]


def test_those_are_told_of_a_correction_who_were_sent_what_it_is_about(chosen: Post) -> None:
    subscribe(
        chosen,
        {ADA: of(ECONOMY), BEN: of(FILMS), CLEO: of(SHIPS), DAN: WHOLE, EVE: HEADLINES},
    )
    _put_off(chosen, CLEO)
    before = len(chosen.server.messages)
    text = body(("h1",)) + "\n" + body(("h2",), " Corrected.") + "\n" + body(("h3",))
    chosen.cli.issue(NAME, body=text)
    corrected = note(chosen)
    assert corrected.mailing is not None
    assert corrected.mailing.recipients == 3
    _go_on(chosen)
    told = [m for m in chosen.server.messages[before:] if b"In-Reply-To" in m.data]
    assert sorted(each.recipients[0] for each in told) == [BEN, DAN, EVE]
    assert got(chosen)[CLEO] == ["h1*", "h2*"]


def test_what_is_chosen_between_freezing_and_starting_counts(chosen: Post) -> None:
    subscribe(chosen, {ADA: of(SHIPS), BEN: WHOLE})
    assert chosen.cli("build").status == 0
    settings, now = load_settings(chosen.folder / "publisher.toml", {}), datetime.now(UTC)
    new = Folder(chosen.folder, settings).freeze(now, NAME)
    database = chosen.open()
    make_ahead(database, new.variants, now)
    choose(chosen, {ADA: of(ECONOMY), BEN: HEADLINES})
    with database.write() as connection:
        start_issue_mailing(connection, database.publication, new, now)
        again = start_issue_mailing(connection, database.publication, new, now)
    database.close()
    assert again.recipients == 2
    assert chosen.cli("run", "--once").status == 0
    assert got(chosen) == {ADA: ["h3*"], BEN: ["h1", "h2", "h3"]}
    listed = chosen.deliveries()
    assert [listed[ADA][key] for key in ("content", "highlights")] == ["full", ["h3"]]
    assert [listed[BEN][key] for key in ("content", "highlights")] == ["headlines", None]
