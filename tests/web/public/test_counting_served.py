"""Readers are counted where feeds are served: by a real server, several of them, and told."""

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from publisher.store.database import open_database
from publisher.store.readings import FeedReadings, Readings, find_readings
from tests.audience.readers import URI
from tests.cli.command_line import SETTINGS, CommandLine, Process
from tests.cli.conftest import clean_environment, cli, empty
from tests.web.public.agents import AGGREGATORS, CRAWLERS, DIRECT
from tests.web.public.site import Client, Site, free_port, run_site, wait_until

__all__ = ["clean_environment", "cli", "empty"]

FEEDS = ("feed.atom", "issues.rss", "tags/film/feed.json")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with run_site(tmp_path, web={"trusted_proxies": ["127.0.0.1"]}) as site:
        for path in (*FEEDS, "index.html", "archive/2026-01/feed.atom"):
            site.write(path)
        yield site


def _get(site: Client, path: str, client: str, agent: str, method: str = "GET", **more: str) -> int:
    headers = {"X-Forwarded-For": client, "User-Agent": agent}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    return site.ask(method, path, headers=headers).status


def _read(site: Site) -> Readings:
    today = datetime.now(ZoneInfo("Europe/Oslo")).date()
    with site.readers.database.read() as connection:
        return find_readings(connection, site.readers.database.publication, today)


def _wait_for(site: Site, feed: str, today: int) -> FeedReadings:
    """The feed's readings, once so many clients were counted."""

    def look() -> FeedReadings | None:
        found = [each for each in _read(site).feeds if each.feed == feed]
        return found[0] if found and found[0].today >= today else None

    found: FeedReadings = wait_until(look)
    return found


def test_real_readers_are_counted_as_what_they_are(site: Site) -> None:
    for agent in (*AGGREGATORS, *DIRECT, *CRAWLERS):
        assert _get(site, "/feed.atom", "203.0.113.77", agent) == 200
    assert _get(site, "/feed.atom", "203.0.113.78", "Reeder/5") == 200
    found = _wait_for(site, "feed.atom", len(DIRECT) + 1)
    assert found.today == len(DIRECT) + 1
    sums: Counter[str] = Counter()
    for name, feed_id, number in AGGREGATORS.values():
        # Inoreader told two numbers for one feed, of which the newer counts.
        sums[name] = sums[name] + number if feed_id else number
    assert {each.name: each.subscribers for each in found.aggregators} == dict(sums)
    assert found.claimed == 1204
    assert found.subscribers == sums.total() - 1204


def test_what_is_known_already_counts_too_and_what_is_no_feed_or_no_fetch_does_not(
    site: Site,
) -> None:
    tag = site.get("/feed.atom").headers["etag"]
    assert _get(site, "/feed.atom", "203.0.113.1", "Reeder/5", if_none_match=tag) == 304
    assert _get(site, "/feed.atom", "203.0.113.2", "Reeder/5", "HEAD") == 200
    for path in ("/", "/archive/2026-01/feed.atom", "/issues.atom", "/tags/none/feed.atom"):
        assert _get(site, path, "203.0.113.3", "Reeder/5") in (200, 404)
    assert _get(site, "/tags/film/feed.json", "203.0.113.4", "Reeder/5") == 200
    assert _wait_for(site, "tags/film/feed.json", 1).today == 1
    assert _wait_for(site, "feed.atom", 2).today == 2  # the first one, which asked for the tag
    assert {each.feed for each in _read(site).feeds} == {"feed.atom", "tags/film/feed.json"}


def test_nobody_stands_in_the_database_or_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with run_site(tmp_path, web={"trusted_proxies": ["127.0.0.1"]}) as site:
        site.write("feed.atom")
        secret = "Secret-Reader-Of-Ada/7.3"
        for client in ("203.0.113.77", "2001:db8:77::1"):
            assert _get(site, "/feed.atom", client, secret) == 200
        assert _wait_for(site, "feed.atom", 2).today == 2
        data = site.readers.bytes_on_disk()
        kept = [secret, "Secret-Reader", "203.0.113", "2001:db8:77", "2001:0db8"]
        assert not any(each.encode() in data for each in kept)
        packed = (bytes([203, 0, 113, 77]), bytes.fromhex("20010db80077"))
        assert not any(each in data for each in packed)
    assert not any(each in "".join(capfd.readouterr()) for each in kept)


def test_what_was_noted_is_written_at_the_end_and_a_restart_counts_nobody_twice(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        with run_site(tmp_path, web={"trusted_proxies": ["127.0.0.1"]}) as site:
            site.write("feed.atom")
            assert _get(site, "/feed.atom", "203.0.113.77", "Reeder/5") == 200
            today = datetime.now(ZoneInfo("Europe/Oslo")).date()
        database = open_database("sqlite:///publisher.db", tmp_path, URI)
        with database.read() as connection:
            found = find_readings(connection, database.publication, today)
        database.close()
        assert found.whole.today == 1


def test_two_servers_count_together_and_status_shows_it(cli: CommandLine) -> None:
    cli.write("publisher.toml", f'{SETTINGS}\n[web]\ntrusted_proxies = ["127.0.0.1"]\n')
    for feed in FEEDS:
        cli.write(f"public/{feed}", "<feed/>")
    cli("subscribers", "add", "ada@reader.example")
    process, ports = Process(cli.folder), [free_port(), free_port()]
    servers = [
        subprocess.Popen(
            process.command("serve"),
            cwd=cli.folder,
            env=process.environment({"PUBLISHER_WEB__PORT": str(port)}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for port in ports
    ]
    try:
        for number, port in enumerate(ports):
            client = Client(port)
            wait_until(partial(_answers, client))
            for each in range(3):
                # Two clients of each are the other server's too.
                agent = "NetNewsWire (RSS Reader; https://netnewswire.com/)"
                assert _get(client, "/feed.atom", f"203.0.113.{each + number}", agent) == 200
            _get(client, "/issues.rss", "203.0.113.9", "Feedbin feed-id:5 - 8 readers")
    finally:
        for server in servers:
            server.send_signal(signal.SIGTERM)
        said = [server.communicate(timeout=60)[1] for server in servers]
    assert not any(b"Traceback" in each for each in said)
    answer = cli("status", "--readers", "--json").json
    assert answer["mail"] == 1
    assert answer["days"] == 0
    by_path = {each["path"]: each for each in answer["feeds"]}
    assert by_path["feed.atom"]["readers"] == by_path["feed.atom"]["today"] == 4
    assert (by_path["issues.rss"]["feed"], by_path["issues.rss"]["format"]) == ("issues", "rss")
    (feedbin,) = by_path["issues.rss"]["aggregators"]
    assert (feedbin["name"], feedbin["subscribers"], feedbin["known"]) == ("Feedbin", 8, True)
    assert answer["all"]["readers"] == 12
    shown = cli("status", "--readers")
    assert shown.status == 0
    assert "Feedbin 8" in shown.out
    assert "by mail: 1" in shown.out
    assert "highlights  atom" in shown.out


def _answers(client: Client) -> bool | None:
    try:
        return client.get("/healthz").status == 200 or None
    except OSError:
        return None


def test_before_anybody_came_it_says_so(cli: CommandLine) -> None:
    outcome = cli("status", "--readers")
    assert outcome.status == 0
    assert "Nobody fetched a feed yet" in outcome.err
    assert cli("status", "--readers", "--json").json["feeds"] == []
    assert cli("status", "2025-12-15", "--readers").status == 2
