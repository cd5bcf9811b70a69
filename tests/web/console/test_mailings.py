"""Mailings and deliveries in the console: how far, what was said, what operators do about it."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from markupsafe import escape

from publisher.store.histories import Sought, list_deliveries
from tests.delivery.conftest import clean_environment, cli, empty, post, server
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import CLOSE, Rule, say
from tests.web.console.newsroom import Newsroom, run_newsroom
from tests.web.console.site import Browser
from tests.web.public.site import at_once

__all__ = ["clean_environment", "cli", "empty", "post", "server"]

ADA, BEN, CLEO = "ada@reader.example", "ben@reader.example", "cleo@reader.example"
PAYLOAD = "<script>document.title='run'</script><img src=x onerror=alert(1)>\"'{{7*7}}"
_DELIVERY = re.compile(r'href="(/deliveries/[0-9]+)"><bdi class="nowrap">([^<]+)</bdi>')


@pytest.fixture
def newsroom(post: Post) -> Iterator[Newsroom]:
    post.subscribe([ADA, BEN, CLEO])
    with run_newsroom(post) as newsroom:
        yield newsroom


def _send(newsroom: Newsroom, *rules: Rule, **delivery: str | int) -> str:
    """Send the issue by a command; give the path of its mailing."""
    newsroom.post.configure("", **delivery)
    newsroom.post.server.rules += rules
    newsroom.post.send()
    return f"/mailings/{newsroom.mailings()[0]}"


def _counts(newsroom: Newsroom, browser: Browser, path: str) -> dict[str, int]:
    counts = json.loads(browser.get(f"{path}/progress").text)["counts"]
    return {status: number for status, number in counts.items() if number}


def _find(browser: Browser, path: str, email: str) -> str:
    """The path of a reader's delivery."""
    page = browser.get(f"{path}/deliveries").text
    return next(link for link, name in _DELIVERY.findall(page) if name == email)  # type: ignore[no-any-return]


def test_what_was_sent_is_shown_to_viewers_without_addresses(newsroom: Newsroom) -> None:
    path = _send(newsroom, Rule("rcpt", say(f"550 5.1.1 {BEN} {PAYLOAD}"), recipient=BEN))
    viewer = newsroom.console.enter("viewer")
    assert f'href="{path}"' in viewer.get("/mailings").text
    page = viewer.get(path).text
    assert "finished" in page
    assert "@reader.example" not in page
    assert _counts(newsroom, viewer, path) == {"sent": 2, "failed": 1}
    assert viewer.get(f"{path}/deliveries").status == 403
    assert viewer.post(f"{path}/retry").status == 403
    assert "No mailing here" in viewer.get("/mailings?status=paused").text
    assert "No mailing here" in viewer.get("/mailings?kind=tests").text
    assert viewer.get("/mailings/nosuchmailing").status == 404


def test_what_servers_say_is_text_wherever_it_is_shown(newsroom: Newsroom) -> None:
    path = _send(newsroom, Rule("rcpt", say(f"550 5.1.1 {PAYLOAD}"), recipient=BEN))
    sender = newsroom.console.enter("sender")
    delivery = _find(sender, path, BEN)
    ref = newsroom.console.readers.get(BEN).ref
    for place in (f"{path}/deliveries", delivery, f"/readers/{ref}/history"):
        page = sender.get(place).text
        assert str(escape(PAYLOAD))[:60] in page
        assert "<script>document" not in page
        assert "<img" not in page


def test_a_reader_s_history_has_all_that_is_on_record(newsroom: Newsroom) -> None:
    path = _send(newsroom)
    sender = newsroom.console.enter("sender")
    page = sender.get(f"/readers/{newsroom.console.readers.get(ADA).ref}/history").text
    assert "vouched" in page
    assert f"Issue <bdi>{NAME}</bdi>" in page
    lines = sender.get(_find(sender, path, ADA)).text
    assert "the server took it" in lines
    assert "&lt;" + newsroom.post.deliveries()[ADA]["message_id"][1:-1] in lines
    assert sender.get("/readers/nobody/history").status == 404
    assert sender.get("/deliveries/99999").status == 404


def test_failed_ones_are_tried_again_one_by_one_and_all(newsroom: Newsroom) -> None:
    refuse = Rule("rcpt", say("550 5.1.1 no such user"), times=3)
    path = _send(newsroom, refuse)
    sender = newsroom.console.enter("sender")
    assert _counts(newsroom, sender, path) == {"failed": 3}
    assert sender.post(f"{_find(sender, path, ADA)}/retry").status == 303
    assert _counts(newsroom, sender, path) == {"queued": 1, "failed": 2}
    newsroom.console.clock.ahead += timedelta(minutes=1)
    assert sender.post(f"{path}/retry").status == 303
    assert _counts(newsroom, sender, path) == {"queued": 3}
    assert "The next messages leave in a moment" in sender.get(path).text
    newsroom.console.clock.ahead += timedelta(minutes=1)
    assert "Nothing has moved for half a minute" in sender.get(path).text
    newsroom.post.send()
    assert _counts(newsroom, sender, path) == {"sent": 3}
    sender.post(f"{path}/retry")
    assert "None of its deliveries is failed" in sender.get(path).text
    assert [deed.detail for deed in newsroom.console.deeds() if "retried" in deed.action] == [
        "",
        "delivery 1",
    ]


def test_doubts_are_settled_one_by_one_and_all(newsroom: Newsroom) -> None:
    lost = Rule("final_dot", CLOSE, times=3, is_accepted=True)
    path = _send(newsroom, lost, on_in_doubt="hold", connections=1)
    sender = newsroom.console.enter("sender")
    assert _counts(newsroom, sender, path) == {"in_doubt": 3}
    one = _find(sender, path, ADA)
    assert "they may get it twice" in sender.get(one).text
    sender.post(f"{one}/resolve", {"answer": "maybe"})
    assert _counts(newsroom, sender, path) == {"in_doubt": 3}
    sender.post(f"{one}/resolve", {"answer": "sent"})
    assert _counts(newsroom, sender, path) == {"sent": 1, "in_doubt": 2}
    sender.post(f"{path}/resolve", {"answer": "resend"})
    assert _counts(newsroom, sender, path) == {"sent": 1, "queued": 2}
    newsroom.post.send()
    assert newsroom.post.arrived() == {ADA: 1, BEN: 2, CLEO: 2}


def test_a_mailing_is_paused_resumed_and_cancelled_with_a_question(newsroom: Newsroom) -> None:
    later = Rule("rcpt", say("450 4.2.0 later"), times=3)
    path = _send(newsroom, later)
    sender = newsroom.console.enter("sender")
    assert _counts(newsroom, sender, path) == {"deferred": 3}
    sender.post(f"{path}/pause")
    assert "by sender@daily.example" in sender.get(path).text
    assert newsroom.post.status()["status"] == "paused"
    sender.post(f"{path}/resume")
    assert newsroom.post.status()["status"] == "sending"
    assert "There is no way back" in sender.get(f"{path}/cancel").text
    assert newsroom.post.status()["status"] == "sending"
    sender.post(f"{path}/cancel")
    assert newsroom.post.status()["status"] == "cancelled"
    assert _counts(newsroom, sender, path) == {"cancelled": 3}
    sender.post(f"{path}/resume")
    assert "Nothing was done" in sender.get(path).text
    assert sender.get(f"{path}/cancel").status == 303
    actions = [action for _, action, _ in newsroom.console.done()]
    assert actions[:3] == ["mailing cancelled", "mailing resumed", "mailing paused"]


def test_two_who_retry_at_once_queue_once(newsroom: Newsroom) -> None:
    path = _send(newsroom, Rule("rcpt", say("550 5.1.1 no"), times=3))
    browsers = [newsroom.console.enter("sender"), newsroom.console.enter("owner")]
    answers = at_once(2, lambda number: browsers[number].post(f"{path}/retry"))
    assert [each.status for each in answers] == [303, 303]
    assert _counts(newsroom, browsers[0], path) == {"queued": 3}
    actions = [action for _, action, _ in newsroom.console.done()]
    assert actions.count("deliveries retried") == 1


def test_deliveries_are_found_by_state_and_address(newsroom: Newsroom) -> None:
    path = _send(newsroom, Rule("rcpt", say("550 5.1.1 no"), recipient=BEN))
    sender = newsroom.console.enter("sender")

    def found(query: str) -> set[str]:
        page = sender.get(f"{path}/deliveries?{query}").text
        return {name for _, name in _DELIVERY.findall(page)}

    assert found("") == {ADA, BEN, CLEO}
    assert found("status=failed") == {BEN}
    assert found("status=sent") == {ADA, CLEO}
    assert found("status=nonsense") == {ADA, BEN, CLEO}
    assert found("search=ADA@Reader.example") == {ADA}
    assert found("search=leo") == {CLEO}
    assert found("search=leo&status=failed") == set()
    assert found("search=%25") == set()
    assert found("after=x%27%22") == {ADA, BEN, CLEO}


def test_pages_go_through_all_and_an_erased_reader_stays_a_number(newsroom: Newsroom) -> None:
    newsroom.post.subscribe(25)
    path = _send(newsroom)
    assert newsroom.post.cli("subscribers", "erase", ADA, "--yes").status == 0
    database = newsroom.console.database
    seen: list[int] = []
    after, pages = "", 0
    while pages == 0 or after:
        with database.read() as connection:
            rows, after = list_deliveries(connection, 1, Sought(), after=after, limit=7)
        seen += [each.id for each in rows]
        pages += 1
    assert sorted(seen) == list(range(1, 29))
    assert pages == 4
    assert "(erased)" in newsroom.console.enter("sender").get(f"{path}/deliveries").text


def test_pages_are_found_by_an_index(newsroom: Newsroom) -> None:
    """The thousandth page is there as soon as the first: nothing is sorted or read in vain."""
    _send(newsroom)
    database, said = newsroom.console.database, list[str]()
    with database.read() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(said.append)
        list_deliveries(connection, 1, Sought(), after="r1", limit=10)
        list_deliveries(connection, 1, Sought(status="failed"), limit=10)
        raw.set_trace_callback(None)
        chosen = [each for each in said if each.startswith("SELECT")]
        plans = [
            " | ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each}"))
            for each in chosen
        ]
    *whole, failed = plans
    assert whole
    for plan in whole:
        assert "(mailing=? AND subscriber" in plan or "SEARCH subscriber" in plan
        assert "TEMP B-TREE" not in plan
    assert "delivery_not_sent" in failed


def test_a_canary_says_until_when_the_rest_waits(newsroom: Newsroom) -> None:
    path = _send(newsroom, canary=1, canary_wait="10m")
    viewer = newsroom.console.enter("viewer")
    assert _counts(newsroom, viewer, path) == {"sent": 1, "queued": 2}
    assert "the rest goes by itself at" in viewer.get(path).text
