"""The week's message, sent for real: its firing, its command, and who gets what of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from publisher.model.choices import Choices
from publisher.runtime.newsroom import Folder
from publisher.runtime.scheduler import Scheduler, Told
from publisher.runtime.week_firing import WeekFirings
from publisher.runtime.weekly import Weeks
from publisher.settings import load_settings
from tests.delivery.choosing import choose, read_text, subscribe
from tests.delivery.post import NAME, Post
from tests.runtime.running import wait_until
from tests.smtp.scripted import Rule, say

ADA, BEN, CLEO, DAN = (f"{name}@reader.example" for name in ("ada", "ben", "cleo", "dan"))
WEEKLY = Choices(frequency="weekly")
DAILY = Choices()
HOUR = timedelta(hours=1)
MORE = '[choices]\nweekly = "{cron}"\ntags = ["ships", "films"]\n{more}'


def offer(post: Post, cron: str = "* * * * *", more: str = "", **delivery: object) -> None:
    post.configure(MORE.format(cron=cron, more=more), **delivery)


def publish(post: Post, name: str, hours: float, **fields: object) -> None:
    """An issue of so many hours ago, with two highlights."""
    date = (datetime.now(UTC) - hours * HOUR).isoformat(timespec="seconds")
    body = (
        f'## Ship of {name} {{#s{name} tags="ships"}}\n\nAll about the ship.\n\n'
        f'## Film of {name} {{#f{name} tags="films"}}\n\nAll about the film.\n'
    )
    post.cli.issue(name, body=body, date=date, **fields)


def got(post: Post) -> dict[str, list[str]]:
    """Which highlights everybody has in their messages, in their order."""
    found: dict[str, list[str]] = {}
    for message, arrived in zip(post.messages(), post.server.messages, strict=True):
        text = read_text(message)
        titles = [f"{kind} of {name}" for name in ("one", "two") for kind in ("Ship", "Film")]
        found.setdefault(arrived.recipients[0], []).extend(t for t in titles if t in text)
    return found


ONE, TWO = ["Ship of one", "Film of one"], ["Ship of two", "Film of two"]


@pytest.fixture
def week(post: Post) -> Post:
    """A publication that offers a week's message, with two issues and none of today."""
    (post.folder / f"issues/{NAME}.md").unlink()
    offer(post)
    publish(post, "one", 30)
    publish(post, "two", 6)
    return post


def send(post: Post, *words: str) -> Any:
    return post.cli("send", "--weekly", "--yes", "--json", *words)


def test_who_chose_it_gets_all_of_the_week_and_the_others_nothing(week: Post) -> None:
    headlines = Choices(content="headlines", frequency="weekly")
    films = Choices(tags=("films",), frequency="weekly")
    subscribe(week, {ADA: DAILY, BEN: WEEKLY, CLEO: headlines, DAN: films})
    sent = send(week)
    assert sent.status == 0, sent
    assert sent.json["counts"]["sent"] == 3
    assert sent.json["issue"].startswith("week-20")
    assert got(week) == {
        BEN: [*ONE, *TWO],
        CLEO: [*ONE, *TWO],
        DAN: ["Film of one", "Film of two"],
    }
    texts = {m["to"]: read_text(m) for m in week.messages()}
    assert "All about the ship." in texts[BEN]
    assert "All about" not in texts[CLEO]
    assert "You get one message a week" in texts[BEN]
    assert "2 of the 4 highlights" in texts[DAN]
    assert all(str(message["subject"]).startswith("The week: ") for message in week.messages())
    again = send(week)
    assert (again.status, len(week.server.messages)) == (5, 3)


@pytest.mark.long
def test_an_issue_of_the_week_is_still_mailed_to_the_others(week: Post) -> None:
    subscribe(week, {ADA: DAILY, BEN: WEEKLY})
    assert week.cli("send", "one", "--yes").status == 0
    assert send(week).status == 0
    assert week.cli("send", "two", "--yes").status == 0
    assert got(week) == {ADA: [*ONE, *TWO], BEN: [*ONE, *TWO]}


def test_who_switched_in_the_week_gets_what_they_lack_and_no_highlight_twice(week: Post) -> None:
    subscribe(week, {ADA: DAILY, BEN: WEEKLY})
    assert week.cli("send", "one", "--yes").status == 0
    choose(week, {ADA: WEEKLY, BEN: DAILY})
    assert week.cli("send", "two", "--yes").status == 0
    assert got(week) == {ADA: ONE, BEN: TWO}
    assert send(week).status == 0
    assert got(week) == {ADA: [*ONE, *TWO], BEN: [*TWO, *ONE]}


@pytest.mark.long
def test_what_came_in_a_week_does_not_come_again_by_the_issue(week: Post) -> None:
    subscribe(week, {ADA: WEEKLY, BEN: DAILY})
    assert send(week).status == 0
    choose(week, {ADA: DAILY, BEN: WEEKLY})
    assert week.cli("send", "two", "--yes").status == 0
    # Ben chose it after the message of the week that it is in, and would never get it otherwise.
    assert got(week) == {ADA: [*ONE, *TWO], BEN: TWO}


@pytest.mark.long
def test_a_failed_one_is_not_retried_once_it_came_otherwise(week: Post) -> None:
    subscribe(week, {ADA: DAILY})
    week.server.rules.append(Rule("rcpt", say("550 no such user"), recipient=ADA, times=1))
    assert week.cli("send", "one", "--yes").status == 0
    choose(week, {ADA: WEEKLY})
    assert send(week).status == 0
    assert got(week) == {ADA: [*ONE, *TWO]}
    assert week.cli("retry", "one").status == 5


class Sundays:
    """A firing a day, from two minutes from now on, and ticks at times that a test names."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.told: list[Told] = []
        self.start = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
        offer(post, f"{self.start.astimezone(ZoneInfo('Europe/Berlin')):%M %H} * * *")
        self.tick(-1)

    def tick(self, minutes: float) -> list[str]:
        before = len(self.told)
        database = self.post.open()
        settings = load_settings(self.post.folder / "publisher.toml", {})
        newsroom = Folder(self.post.folder, settings)
        weeks = WeekFirings(Weeks(database, settings, newsroom))
        scheduler = Scheduler(database, settings, newsroom, self.told.append, weeks)
        scheduler.tick(self.start + timedelta(minutes=minutes))
        database.close()
        return [told.event for told in self.told[before:]]

    def firings(self) -> list[tuple[Any, ...]]:
        return self.post.rows("SELECT schedule, status, outcome, slug FROM occurrence ORDER BY id")


def test_it_fires_once_and_builds_before(week: Post) -> None:
    subscribe(week, {ADA: DAILY, BEN: WEEKLY})
    sundays = Sundays(week)
    assert sundays.tick(0) == ["fired"]
    assert sundays.tick(0.2) == []
    assert (week.folder / "public" / "issues" / "two" / "index.html").exists()
    ((schedule, status, outcome, slug),) = sundays.firings()
    assert (schedule, status, outcome) == ("weekly", "fired", "sent to 1")
    assert slug.startswith("week-20")
    shown = week.cli("schedule", "--json").json["schedules"]
    assert [each["name"] for each in shown] == ["weekly"]
    assert week.cli("run", "--once").status == 0
    assert got(week) == {BEN: [*ONE, *TWO]}
    listed = week.cli("status", "--json").json["mailings"]
    assert [each["issue"] for each in listed] == [slug]
    assert week.cli("deliveries", slug, "--json").json["deliveries"][0]["status"] == "sent"
    # at the next firing there is nothing left to tell of
    assert sundays.tick(1440) == []
    assert sundays.firings()[1][1:3] == ("open", "nothing was published in this week")


def test_a_week_without_an_issue_is_recorded_and_nobody_is_called(post: Post) -> None:
    (post.folder / f"issues/{NAME}.md").unlink()
    subscribe(post, {BEN: WEEKLY})
    sundays = Sundays(post)
    assert sundays.tick(0) == []
    assert sundays.firings()[0][1:3] == ("open", "nothing was published in this week")
    assert sundays.tick(180) == []
    ((_, status, outcome, slug),) = sundays.firings()
    assert (status, slug) == ("missed", None)
    assert outcome.endswith("nothing was published in this week")
    assert post.rows("SELECT count(*) FROM mailing") == [(0,)]


def test_nobody_chose_it_and_that_is_no_fault(week: Post) -> None:
    subscribe(week, {ADA: DAILY})
    sundays = Sundays(week)
    assert sundays.tick(0) == []
    ((_, status, outcome, _),) = sundays.firings()
    assert (status, outcome) == ("missed", "nobody chose one message a week")
    by_hand = send(week)
    assert by_hand.status == 5
    assert "nobody chose one message a week" in by_hand.err


@pytest.mark.long
def test_its_command_and_its_firing_end_in_one_mailing(week: Post) -> None:
    subscribe(week, {BEN: WEEKLY})
    sundays = Sundays(week)
    offer(week)  # what is due every minute was due a moment ago
    assert send(week).status == 0
    assert week.rows("SELECT count(*) FROM mailing WHERE purpose = 'weekly'") == [(1,)]
    offer(week, f"{sundays.start.astimezone(ZoneInfo('Europe/Berlin')):%M %H} * * *")
    assert sundays.tick(0) == ["fired"]
    assert sundays.firings()[0][2] == "joined a mailing that was there"
    assert week.rows("SELECT count(*) FROM mailing WHERE purpose = 'weekly'") == [(1,)]


def test_it_is_steered_as_an_issue_is(week: Post) -> None:
    subscribe(week, {BEN: WEEKLY})
    sundays = Sundays(week)
    assert sundays.tick(0) == ["fired"]
    name = sundays.firings()[0][3]
    assert week.cli("pause", name).status == 0
    assert week.cli("send", name, "--yes").status == 2
    assert week.cli("resume", name).status == 0
    assert week.cli("cancel", name).status == 0
    assert week.cli("send", name, "--yes").status == 2
    assert week.cli("status", name, "--json").json["status"] == "cancelled"


def test_what_nobody_offers_is_not_sent(post: Post) -> None:
    refused = post.cli("send", "--weekly", "--yes")
    assert refused.status == 2
    assert "choices.weekly is empty" in refused.err
    assert post.cli("send", "--yes").status == 2
    assert post.cli("send", NAME, "--weekly", "--yes").status == 2


@pytest.mark.long
def test_without_a_terminal_and_yes_nothing_is_sent(week: Post) -> None:
    subscribe(week, {BEN: WEEKLY})
    assert week.cli("build").status == 0
    dry = week.cli("send", "--weekly", "--dry-run", "--json")
    assert dry.json["recipients"] == 1
    assert dry.json["status"] is None
    assert week.cli("send", "--weekly").status == 2
    assert week.rows("SELECT count(*) FROM mailing") == [(0,)]


def test_what_was_not_approved_as_it_is_is_left_out_until_it_is(week: Post) -> None:
    subscribe(week, {ADA: DAILY, BEN: WEEKLY})
    assert week.cli("send", "one", "--yes").status == 0
    offer(week, require_approval=True)
    before = week.cli.read("issues/one.md")
    publish(week, "one", 30, summary="It says something else.")
    refused = send(week)
    assert refused.status == 2
    assert refused.err.count("needs the approval of a second operator") == 2
    week.cli.write("issues/one.md", before)
    sent = send(week)
    assert "Left out: two: it needs the approval of a second operator." in sent.err
    assert got(week)[BEN] == ONE


def test_a_wrong_setting_is_explained(post: Post) -> None:
    offer(post, "every sunday")
    assert "choices.weekly" in post.cli("check").err
    offer(post, more="")
    post.configure(
        MORE.format(cron="0 8 * * 0", more="")
        + '[[schedule]]\nname = "weekly"\ncron = "0 8 * * *"\n'
    )
    assert "schedule.name" in post.cli("check").err
    offer(post, "0 8 * * 0", more='weekly_subject = "{{ week.nothing.more }}"')
    (post.folder / f"issues/{NAME}.md").unlink()
    publish(post, "one", 3)
    subscribe(post, {BEN: WEEKLY})
    wrong = send(post)
    assert wrong.status == 2
    assert "choices.weekly_subject" in wrong.err


def correct(post: Post, name: str, *, what: str = "ship") -> Any:
    """Correct a highlight of an issue, and mail the note."""
    path = f"issues/{name}.md"
    post.cli.write(path, post.cli.read(path).replace(f"All about the {what}.", f"The {what} sank."))
    words = ("correct", name, "--note", f"The {what} sank.", "--mail", "--yes", "--json")
    return post.cli(*words)


def test_a_correction_is_told_to_those_whose_week_had_it(week: Post) -> None:
    films = Choices(tags=("films",), frequency="weekly")
    subscribe(week, {ADA: WEEKLY, BEN: films, CLEO: DAILY, DAN: DAILY})
    assert week.cli("send", "one", "--yes").status == 0
    choose(week, {DAN: WEEKLY})  # who has the first issue by itself
    assert send(week).status == 0
    before = {m["to"]: m["message-id"] for m in week.messages() if "The week" in str(m["subject"])}
    week.server.messages.clear()
    corrected = correct(week, "two")
    assert (corrected.status, corrected.json["recipients"]) == (0, 2), corrected
    assert week.cli("run", "--once").status == 0
    assert {m["to"]: m["in-reply-to"] for m in week.messages()} == {
        ADA: before[ADA],
        DAN: before[DAN],
    }
    assert all("The ship sank." in read_text(message) for message in week.messages())
    week.server.messages.clear()
    assert correct(week, "one").json["recipients"] == 3
    assert week.cli("run", "--once").status == 0
    # Ada's answers her week's message; the others' that of the issue itself
    threads = {m["to"]: m["in-reply-to"] for m in week.messages()}
    assert threads.keys() == {ADA, CLEO, DAN}
    assert threads[ADA] == before[ADA]
    assert threads[DAN] != before[DAN]


@pytest.mark.long
def test_what_is_left_of_a_week_is_sent_corrected_to_each_as_they_chose(week: Post) -> None:
    headlines = Choices(content="headlines", frequency="weekly")
    subscribe(week, {ADA: WEEKLY, BEN: WEEKLY, CLEO: headlines})
    week.server.rules.append(Rule("rcpt", say("450 later"), recipient=BEN, times=1))
    assert send(week).status == 3
    corrected = correct(week, "two")
    assert corrected.json["recipients"] == 2
    week.make_due()
    assert week.cli("run", "--once").status == 0
    texts: dict[str, list[str]] = {}
    for message in week.messages():
        texts.setdefault(message["to"], []).append(read_text(message))
    assert [("The ship sank." in each) for each in texts[BEN]] == [True]
    assert "All about the ship." in texts[BEN][0]  # of the other issue
    assert [each.count("sank") > 0 for each in texts[ADA]] == [False, True]


@pytest.mark.long
def test_two_processes_at_once_end_in_one_mailing(week: Post) -> None:
    subscribe(week, {ADA: WEEKLY, BEN: WEEKLY})
    offer(week, "0 0 * * *")
    assert week.cli("build").status == 0
    started = [week.start("send", "--weekly", "--yes") for _ in range(2)]
    assert {process.wait(60) for process in started} <= {0, 5}
    assert week.rows("SELECT count(*) FROM mailing WHERE purpose = 'weekly'") == [(1,)]
    assert week.arrived() == {ADA: 1, BEN: 1}


def test_after_kills_nobody_is_lost_and_each_has_what_they_chose(week: Post) -> None:
    """Of three variants, killed in the middle three times; what is in doubt is held."""
    offer(week, connections=2, on_in_doubt="hold")
    week.server.delay = 0.01
    headlines = Choices(content="headlines", frequency="weekly")
    films = Choices(tags=("films",), frequency="weekly")
    chosen = {f"r{n}@reader.example": (WEEKLY, headlines, films)[n % 3] for n in range(60)}
    subscribe(week, chosen)
    left = 0
    for kill in range(1, 4):
        sending = week.start("send", "--weekly", "--yes")
        _wait_for(week, 12 * kill)
        sending.kill()
        sending.communicate()
        (mailing,) = week.rows("SELECT id FROM mailing WHERE purpose = 'weekly'")
        ((n,),) = week.rows("SELECT count(*) FROM delivery WHERE status = 'sending'")
        left += n
    send(week)
    statuses = dict(week.rows("SELECT status, count(*) FROM delivery GROUP BY status"))
    assert statuses.keys() <= {"sent", "in_doubt"}
    assert sum(statuses.values()) == 60
    assert statuses.get("in_doubt", 0) <= left <= 6
    assert week.rows("SELECT id FROM mailing WHERE purpose = 'weekly'") == [mailing]
    arrived = [each.recipients[0] for each in week.server.messages]
    assert len(arrived) == len(set(arrived)) >= statuses["sent"]
    for address, titles in got(week).items():
        assert titles == (["Film of one", "Film of two"] if chosen[address] is films else ONE + TWO)


def _wait_for(week: Post, messages: int) -> None:
    wait_until(lambda: len(week.server.messages) >= messages, "so many have arrived")
