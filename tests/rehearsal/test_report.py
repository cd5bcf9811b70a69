"""`publisher rehearse`, as somebody calls it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from lxml import html

from publisher.mailing.schedule import Occurrence
from publisher.model.plan import GRACE, Plan
from publisher.rehearsal.document import Report
from publisher.rehearsal.facts import Facts
from publisher.rehearsal.newsroom import File
from publisher.rehearsal.page import render_page
from publisher.rehearsal.report import find_clock_changes, make_report, scale_domains
from publisher.rehearsal.scenario import Options
from publisher.rehearsal.text import write_text
from publisher.settings import Schedule
from publisher.site.scan import read_packaged_templates
from tests.cli.command_line import CommandLine
from tests.delivery.post import Post
from tests.rehearsal.rehearsed import days_from, make_settings
from tests.rehearsal.test_facts import SCHEDULE, hash_all

SETTINGS = make_settings(
    "Europe/Berlin",
    Schedule(name="daily", cron="30 6 * * *"),
    Schedule(name="weekly", cron="0 8 * * sun"),
)
ROUGH = msgspec.structs.replace(
    days_from("2026-10-12", "Europe/Berlin", days=21), late=0.4, outages=4, crashes=4
)
FACTS = Facts(domains={"a.example": 6, "b.example": 3, "c.example": 1})


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report(SETTINGS, FACTS, ROUGH)


def test_the_same_seed_gives_the_same_report_and_another_one_another() -> None:
    days = msgspec.structs.replace(ROUGH, end=ROUGH.begin + timedelta(days=6))
    report = make_report(SETTINGS, FACTS, days)
    assert make_report(SETTINGS, FACTS, days) == report
    other = msgspec.structs.replace(days, seed=1)
    assert make_report(SETTINGS, FACTS, other).firings != report.firings


def test_every_firing_is_told_of_with_its_reason(report: Report) -> None:
    text = "\n".join(write_text(report))
    assert len(report.firings) == 24
    for firing in report.firings:
        assert firing.came == "on time" or firing.why
        assert firing.why in text
    assert {each.kind for each in report.events} >= {"clock change", "crash", "relay down"}
    assert "02:00  the clock goes back, from 03:00 to 02:00" in text
    (total,) = (line for line in report.summary if line.startswith("24 firings: "))
    assert sum(map(int, re.findall(r"(?:: |, )(\d+) (?:sent|late|missed|super)", total))) == 24


def test_the_page_says_what_the_text_says_and_runs_nothing(report: Report) -> None:
    publication = msgspec.structs.replace(SETTINGS.publication, title="<script>alert(1)</script>")
    settings = msgspec.structs.replace(SETTINGS, publication=publication)
    text = render_page(report, settings, read_packaged_templates())
    page = html.document_fromstring(text)
    assert not page.xpath(
        "//script | //@onclick | //@src | //link[not(starts-with(@href, 'data:'))]"
    )
    assert "default-src 'none'" in text
    assert page.xpath("string(//h1)") == "Rehearsal of <script>alert(1)</script>"
    words = page.text_content()
    for firing in report.firings:
        assert firing.why in words
    assert len(page.xpath("//tbody/tr")) == 24
    assert len(page.xpath("//*[local-name()='circle']")) == sum(
        1 for each in report.firings if each.ready and each.ready < report.end
    )


def test_clock_changes_are_found_to_the_second() -> None:
    from zoneinfo import ZoneInfo

    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    changes = find_clock_changes(ZoneInfo("Australia/Lord_Howe"), begin, end)
    assert [(each.begin.isoformat(), each.says) for each in changes] == [
        ("2026-04-04T15:00:00+00:00", "the clock goes back, from 02:00 to 01:30"),
        ("2026-10-03T15:30:00+00:00", "the clock goes forward, from 02:00 to 02:30"),
    ]
    assert find_clock_changes(ZoneInfo("Asia/Shanghai"), begin, end) == []


def test_readers_that_are_imagined_are_of_the_domains_that_there_are() -> None:
    assert scale_domains(FACTS, 1000) == {"a.example": 600, "b.example": 300, "c.example": 100}
    assert sum(scale_domains(FACTS, 7).values()) == 7
    assert sum(scale_domains(Facts(), 7).values()) == 7


def test_100_000_readers_for_30_days_are_as_many_deliveries_as_few_readers() -> None:
    facts = Facts(domains={"a.example": 70_000, "b.example": 30_000})
    options = days_from("2026-10-12", "Europe/Berlin", days=1)
    found = make_report(SETTINGS, facts, options)
    assert found.readers_per_delivery == 50
    (firing,) = found.firings
    assert firing.sending is not None
    assert firing.sending.recipients == 100_000


def test_an_issue_that_no_schedule_sends_is_named() -> None:
    twice = make_settings(
        "Europe/Berlin", *(Schedule(name=name, cron="30 6 * * *") for name in ("a", "b"))
    )
    calm = msgspec.structs.replace(days_from("2026-01-05", "Europe/Berlin"), is_calm=True)
    found = make_report(twice, FACTS, calm)
    assert found.summary[-1] == "Written, and sent by no schedule: 2026-01-05."


def test_what_waits_now_is_gone_on_with() -> None:
    """A firing that is open for a late editor, and a send that somebody has just approved."""
    begin = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
    due = datetime(2026, 1, 5, 5, 30, tzinfo=UTC)
    wall = datetime(2026, 1, 5, 6, 30)
    special = File("id-special", "special", begin - GRACE * 9, begin - GRACE * 9, 0, is_ready=True)
    approved = Plan(
        id=1,
        issue=special.id,
        slug="special",
        digest="x",
        who="anna@daily.example",
        client="",
        planned_at=begin - GRACE / 2,
        due_at=begin + GRACE / 2,
        status="waiting",
    )
    facts = Facts(
        domains={"a.example": 3},
        files=(special,),
        open=(Occurrence(schedule="daily", wall=wall, due=due),),
        plans=(approved,),
    )
    options = Options(begin=begin, end=begin + timedelta(hours=5), is_calm=True)
    found = make_report(SETTINGS, facts, options)
    came = {each.schedule: (each.came, each.issue) for each in found.firings}
    assert came.keys() == {"", "daily"}
    # The plan's issue was ready all the time, and the open firing takes it first.
    assert came["daily"] == ("late", "special")
    (plan,) = (each for each in found.firings if not each.schedule)
    assert plan.came == "superseded"
    assert plan.why.startswith("a command or a schedule was first")
    alone = make_report(SETTINGS, msgspec.structs.replace(facts, open=()), options)
    assert [(each.schedule, each.came, each.issue) for each in alone.firings] == [
        ("", "on time", "special")
    ]


# The command


def test_it_touches_nothing_and_asks_no_relay(post: Post) -> None:
    post.configure(SCHEDULE)
    post.subscribe(3)
    before = hash_all(post.folder)
    done = post.cli("rehearse", "3d", "--from", "2026-03-28", "--calm")
    assert done.status == 0
    assert "3 firings: 3 sent on time." in done.out
    assert "Sun 2026-03-29" in done.out
    assert "the clock goes forward, from 02:00 to 03:00" in done.out
    assert hash_all(post.folder) == before
    assert post.server.connections == 0


def test_as_json_it_is_one_document(post: Post) -> None:
    post.configure(SCHEDULE)
    post.subscribe(3)
    done = post.cli("rehearse", "2d", "--from", "2026-03-28T00:00:00+01:00", "--json")
    document = done.json
    assert document["begin"] == "2026-03-28T00:00:00+01:00"
    assert document["readers"] == 3
    firing = document["firings"][0]
    assert firing["due"] == "2026-03-28T06:30:00+01:00"
    assert document["firings"][1]["due"] == "2026-03-29T06:30:00+02:00"
    assert firing["came"] in ("on time", "late", "missed")
    assert done.err == ""


def test_the_page_is_written_whole(post: Post, tmp_path: Path) -> None:
    post.configure(SCHEDULE)
    target = tmp_path / "report.html"
    done = post.cli("rehearse", "2d", "--readers", "5", "--html", target)
    assert done.status == 0
    assert target.read_text("utf-8").startswith("<!doctype html>")
    done = post.cli("rehearse", "2d", "--html", tmp_path / "none" / "report.html")
    assert done.status == 2
    assert "cannot be written: No such file or directory" in done.err


def test_without_a_schedule_it_says_so(cli: CommandLine) -> None:
    done = cli("rehearse", "7d")
    assert done.status == 0
    assert "There is no schedule" in done.out
    assert cli("rehearse", "--json").json["firings"] == []


def test_what_is_not_set_is_why_everything_is_missed(cli: CommandLine) -> None:
    cli.write("publisher.toml", f"{(cli.folder / 'publisher.toml').read_text()}\n{SCHEDULE}")
    done = cli("rehearse", "2d", "--from", "2026-01-05", "--readers", "9", "--calm")
    assert done.status == 0
    assert "smtp.host must be set before anything can be sent" in done.out
    assert "2 firings: 2 missed" in done.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["30"], "DAYS is '30'"),
        (["0d"], "DAYS is '0d'"),
        (["9999d"], "up to 400d"),
        (["7d", "--seed", "x"], "--seed is 'x'"),
        (["7d", "--late", "101"], "from 0 to 100"),
        (["7d", "--from", "tomorrow"], "--from is 'tomorrow'"),
        (["7d", "--from", "2026-03-28T00:00"], "a time such as"),
        (["7d", "--calm", "--crashes", "2"], "--calm lets nothing go wrong"),
    ],
)
def test_wrong_usage_says_what_would_be_right(
    cli: CommandLine, words: list[str], says: str
) -> None:
    done = cli("rehearse", *words)
    assert done.status == 2
    assert says in done.err
    assert done.out == ""


def test_options_are_those_of_a_day() -> None:
    options: Options = days_from("2026-03-29", "Europe/Berlin")
    assert (options.end - options.begin).total_seconds() == 23 * 3600
