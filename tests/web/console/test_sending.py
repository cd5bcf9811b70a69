"""Sending from the console: a last look, an approval of that content, a minute to take it back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.delivery.conftest import clean_environment, cli, empty, post, server
from tests.delivery.post import NAME, Post
from tests.web.console.newsroom import SEND, Newsroom, run_newsroom
from tests.web.public.site import at_once

__all__ = ["clean_environment", "cli", "empty", "post", "server"]

ADA, BEN = "ada@reader.example", "ben@reader.example"


@pytest.fixture
def newsroom(post: Post) -> Iterator[Newsroom]:
    post.subscribe([ADA, BEN])
    with run_newsroom(post) as newsroom:
        yield newsroom


def test_what_was_approved_is_sent_a_minute_later_and_once(newsroom: Newsroom) -> None:
    browser = newsroom.console.enter("sender")
    page = browser.get(SEND).text
    digest = newsroom.post.cli("send", NAME, "--dry-run", "--json").json["digest"]
    assert f'value="{digest}"' in page
    assert "2 subscribed readers" in page
    assert f"Issue {NAME}" in page
    answer = newsroom.press_send(browser)
    assert (answer.status, answer.headers["location"]) == (303, SEND)
    assert "Take it back" in browser.get(SEND).text
    assert newsroom.tick(59) == []
    assert newsroom.mailings() == []
    assert newsroom.tick(1) == ["started"]
    assert newsroom.tick(5) == []
    assert (newsroom.console.folder / "public" / "issues" / NAME / "index.html").exists()
    state = browser.get("/plans/1/state").text
    assert '"status":"started"' in state
    assert f'"location":"/mailings/{newsroom.mailings()[0]}"' in state
    assert newsroom.post.send().status == 0
    assert newsroom.post.arrived() == {ADA: 1, BEN: 1}
    assert newsroom.post.status()["digest"] == digest
    page = browser.get(SEND).text
    assert "This issue has been sent" in page
    assert 'name="digest"' not in page
    assert newsroom.console.done()[:2] == [
        ("sender@daily.example", "mailing started", NAME),
        ("sender@daily.example", "send planned", NAME),
    ]


def test_what_is_changed_after_the_look_is_not_approved(newsroom: Newsroom) -> None:
    browser = newsroom.console.enter("sender")
    fields = newsroom.look(browser)
    newsroom.post.cli.issue(NAME, body="## Only {#h2025-12-15}\n\nAnother text.\n")
    answer = browser.post(SEND, fields)
    assert answer.status == 409
    assert "Changed since you looked" in answer.text
    assert "Changed: Only" in answer.text
    assert newsroom.tick(120) == []
    assert newsroom.mailings() == []
    assert newsroom.press_send(browser).status == 303


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": "Another"}, "it was changed after Send was pressed"),
        ({"status": "draft"}, "is a draft"),
        ({"mail": "false"}, "mail: false"),
        ({"date": "2999-01-01"}, "is to come"),
    ],
)
def test_what_is_changed_after_the_approval_is_not_sent(
    newsroom: Newsroom, change: dict[str, str], reason: str
) -> None:
    browser = newsroom.console.enter("sender")
    newsroom.press_send(browser)
    newsroom.post.cli.issue(NAME, **change)
    assert newsroom.tick(60) == ["refused"]
    assert newsroom.tick(60) == []
    assert newsroom.mailings() == []
    page = browser.get(SEND).text
    assert "was not started" in page
    assert reason in page


def test_it_is_taken_back_by_anybody_who_may_send(newsroom: Newsroom) -> None:
    one, other = newsroom.console.enter("sender"), newsroom.console.enter("owner")
    newsroom.press_send(one)
    assert other.post("/plans/1/take-back").status == 303
    assert newsroom.tick(90) == []
    assert newsroom.mailings() == []
    page = one.get(SEND).text
    assert "owner@daily.example</bdi> took it back" in page
    assert one.post("/plans/1/take-back").status == 303
    assert "It does not wait any more" in one.get(SEND).text
    assert newsroom.press_send(one).status == 303
    assert newsroom.tick(60) == ["started"]
    one.post("/plans/2/take-back")
    assert "It was too late" in one.get(f"/mailings/{newsroom.mailings()[0]}").text


def test_two_who_press_send_at_once_send_once(newsroom: Newsroom) -> None:
    browsers = [newsroom.console.enter("sender"), newsroom.console.enter("owner")]
    fields = [newsroom.look(each) for each in browsers]
    answers = at_once(2, lambda number: browsers[number].post(SEND, fields[number]))
    assert sorted(each.status for each in answers) == [303, 409]
    (late,) = [each for each in answers if each.status == 409]
    assert "has pressed Send already" in late.text
    assert newsroom.tick(60) == ["started"]
    assert len(newsroom.mailings()) == 1


def test_taking_it_back_and_starting_it_at_once_come_to_one_end(newsroom: Newsroom) -> None:
    sender = newsroom.console.enter("sender")
    ends = []
    for number in range(1, 6):
        assert newsroom.press_send(sender).status == 303
        newsroom.console.clock.ahead += timedelta(seconds=60)
        path, token = f"/plans/{number}/take-back", {"_csrf_token": sender.token}
        acts: list[Callable[[], Any]] = [newsroom.tick, partial(sender.post, path, token)]
        at_once(2, partial(_do, acts))
        ends.append(newsroom.plan(number).status)
        assert len(newsroom.mailings()) == ends.count("started")
        if ends[-1] == "started":
            break
    assert set(ends) <= {"started", "taken_back"}


def _do(acts: list[Callable[[], Any]], which: int) -> None:
    acts[which]()


def test_who_looked_before_it_was_taken_back_is_told_and_asked_again(newsroom: Newsroom) -> None:
    one, other = newsroom.console.enter("sender"), newsroom.console.enter("owner")
    fields = newsroom.look(other)
    newsroom.press_send(one)
    one.post("/plans/1/take-back")
    answer = other.post(SEND, fields)
    assert answer.status == 409
    assert "sender@daily.example took it back" in answer.text
    assert newsroom.tick(120) == []
    assert newsroom.press_send(other).status == 303
    assert newsroom.tick(60) == ["started"]


def test_a_command_that_is_first_makes_the_plan_moot(newsroom: Newsroom) -> None:
    browser = newsroom.console.enter("sender")
    newsroom.press_send(browser)
    assert newsroom.post.send().status == 0
    assert newsroom.tick(60) == ["overtaken"]
    assert len(newsroom.mailings()) == 1
    assert newsroom.post.arrived() == {ADA: 1, BEN: 1}
    assert newsroom.plan().mailing == newsroom.mailings()[0]


def test_what_a_server_of_ours_fails_at_is_tried_again(newsroom: Newsroom) -> None:
    post, browser = newsroom.post, newsroom.console.enter("sender")
    newsroom.press_send(browser)
    (post.folder / "public").write_text("in the way")
    assert newsroom.tick(60) == ["waiting"]
    assert newsroom.tick(5) == []
    assert "could not be started yet" in browser.get(SEND).text
    (post.folder / "public").unlink()
    assert newsroom.tick(5) == ["started"]


def test_what_nobody_started_for_hours_is_not_started_any_more(newsroom: Newsroom) -> None:
    browser = newsroom.console.enter("sender")
    newsroom.press_send(browser)
    assert newsroom.tick(4 * 3600) == ["refused"]
    assert newsroom.mailings() == []
    assert "publisher run" in browser.get(SEND).text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "draft"}, "Mark it ready"),
        ({"date": "2999-01-01"}, "Its date is to come"),
        ({"mail": "false"}, "never mailed"),
        ({"body": "## [A](javascript:x) {#h2025-12-15}\n\nText.\n"}, "It has errors"),
    ],
)
def test_what_keeps_an_issue_from_being_sent_is_said(
    newsroom: Newsroom, fields: dict[str, Any], why: str
) -> None:
    newsroom.post.cli.issue(NAME, **fields)
    browser = newsroom.console.enter("sender")
    page = browser.get(SEND)
    assert page.status == 200
    assert why in page.text
    assert 'name="digest"' not in page.text
    assert browser.post(SEND, {"digest": "x", "seen": ""}).status == 409
    assert newsroom.tick(120) == []


def test_without_readers_and_settings_it_says_what_to_do(post: Post) -> None:
    text = post.cli.read("publisher.toml")
    post.cli.write("publisher.toml", text.replace('host = "127.0.0.1"', 'host = ""'))
    with run_newsroom(post) as newsroom:
        page = newsroom.console.enter("sender").get(SEND).text
        assert "Nobody is subscribed" in page
        assert "smtp.host must be set" in page


def test_a_database_that_is_not_armed_sends_nothing(newsroom: Newsroom) -> None:
    browser = newsroom.console.enter("sender")
    newsroom.press_send(browser)
    database = newsroom.post.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE installation SET value = 'unarmed' WHERE key = 'home'")
    database.close()
    assert newsroom.tick(60) == []
    assert "publisher arm" in newsroom.post.cli("send", NAME, "--yes").err
    assert newsroom.post.cli("arm").status == 0
    assert newsroom.tick(5) == []
    assert newsroom.plan().status == "refused"
    assert newsroom.mailings() == []


def test_a_test_goes_to_one_address_and_says_whether_it_is_still_the_same(
    newsroom: Newsroom,
) -> None:
    browser = newsroom.console.enter("editor")
    assert browser.post(f"/issues/{NAME}/test", {"address": "nobody"}).status == 422
    answer = browser.post(f"/issues/{NAME}/test", {"address": "me@desk.example"})
    assert answer.status == 303
    assert "Test of" in browser.get(answer.headers["location"]).text
    assert newsroom.post.cli("run", "--once").status == 0
    assert newsroom.post.arrived() == {"me@desk.example": 1}
    sender = newsroom.console.enter("sender")
    assert "of this very content" in sender.get(SEND).text
    newsroom.post.cli.issue(NAME, title="Another")
    assert "the issue has been changed since" in sender.get(SEND).text


def test_who_may_not_send_does_not(newsroom: Newsroom) -> None:
    browser = newsroom.console.enter("editor")
    assert browser.get(SEND).status == 403
    assert browser.post(SEND, {"digest": "x"}).status == 403
    assert newsroom.console.enter("sender").get("/issues/no-such/send").status == 404


def test_run_once_starts_what_is_due(newsroom: Newsroom) -> None:
    newsroom.press_send(newsroom.console.enter("sender"))
    assert newsroom.post.cli("run", "--once").status == 0
    assert newsroom.mailings() == []
    database = newsroom.post.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE planned_send SET due_at = due_at - 60000")
    database.close()
    assert newsroom.post.cli("run", "--once").status == 0
    assert newsroom.post.arrived() == {ADA: 1, BEN: 1}


def test_one_approves_and_another_sends(post: Post) -> None:
    post.configure(require_approval=True)
    post.subscribe([ADA, BEN])
    with run_newsroom(post) as newsroom:
        first, second = newsroom.console.enter("sender"), newsroom.console.enter("owner")
        page = first.get(SEND).text
        assert "It needs the approval of a second operator." in page
        assert "Nobody has approved it." in page
        assert "Send to 2 readers" not in page
        approve = f"/issues/{NAME}/approve"
        assert first.post(approve, {"digest": "0" * 64}).status == 409
        fields = newsroom.look(first)
        assert newsroom.press_send(first).status == 409
        assert first.post(approve, fields).status == 303
        page = first.get(SEND).text
        assert "sender@daily.example alone" in page
        assert "Send to 2 readers" not in page
        assert "Approve it as it is now" not in page
        assert "Send to 2 readers" in second.get(SEND).text
        newsroom.post.cli.issue(NAME, body="## Only {#h2025-12-15}\n\nAnother text.\n")
        page = second.get(SEND).text
        assert "changed after it was approved" in page
        assert ", of what it was before" in page
        assert first.post(approve, newsroom.look(first)).status == 303
        assert newsroom.press_send(second).status == 303
        assert newsroom.tick(60) == ["started"]
        assert ("sender@daily.example", "issue approved", NAME) in newsroom.console.done()


def test_an_editor_approves_nothing(newsroom: Newsroom) -> None:
    editor = newsroom.console.enter("editor")
    assert editor.post(f"/issues/{NAME}/approve", {"digest": "x"}).status == 403
