"""`run --once` returns like `send`, and prints one JSON document."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.command_line import Outcome
from tests.delivery.conftest import post, server
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import CLOSE, Rule, say

__all__ = ["post", "server"]

ADA, BEN = "ada@reader.example", "ben@reader.example"
SCHEDULE = '[[schedule]]\nname = "daily"\ncron = "* * * * *"\nsettle = "0s"\ncatch_up = "30m"\n'


@pytest.fixture
def due(post: Post) -> Post:
    """A schedule that is due, with an issue that is ready and two readers."""
    post.cli.issue(NAME, date=(datetime.now(UTC) - timedelta(minutes=5)).isoformat())
    post.configure(SCHEDULE)
    post.subscribe([ADA, BEN])
    assert post.cli("run", "--once", "--json").json == {"mailings": []}
    _make_due(post)
    return post


def _make_due(post: Post) -> None:
    database = post.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE schedule SET first_seen_at = first_seen_at - 120000")
    database.close()


def _run(post: Post) -> Outcome:
    outcome = post.cli("run", "--once", "--json")
    assert "Traceback" not in outcome.err
    json.loads(outcome.out)
    return outcome


def test_what_is_due_is_sent_and_then_there_is_nothing_to_do(due: Post) -> None:
    outcome = _run(due)
    assert outcome.status == 0, outcome
    (mailing,) = outcome.json["mailings"]
    assert (mailing["issue"], mailing["status"]) == (NAME, "finished")
    assert due.arrived() == {ADA: 1, BEN: 1}
    again = _run(due)
    assert (again.status, again.json) == (0, {"mailings": []})


def test_what_is_put_off_is_3(due: Post) -> None:
    due.server.rules.append(Rule("rcpt", say("450 4.2.0 later"), recipient=ADA))
    assert _run(due).status == 3
    assert _run(due).status == 3


def test_a_mailing_that_is_paused_is_3(due: Post) -> None:
    due.server.rules.append(Rule("mail", say("550 5.7.1 not you")))
    outcome = _run(due)
    assert outcome.status == 3
    assert outcome.json["mailings"][0]["status"] == "paused"


def test_doubts_that_are_held_are_4(due: Post) -> None:
    due.configure(SCHEDULE, on_in_doubt="hold")
    due.server.rules.append(Rule("final_dot", CLOSE, recipient=ADA, is_accepted=True))
    outcome = _run(due)
    assert outcome.status == 4
    assert due.counts() == {"in_doubt": 1, "sent": 1}


def test_content_with_errors_is_1_and_what_was_begun_goes_on(due: Post) -> None:
    due.server.rules.append(Rule("rcpt", say("450 4.3.2 later", "close"), times=1))
    _run(due)
    due.cli.issue("broken", body="## No id\n\nText.\n")
    outcome = _run(due)
    assert outcome.status in (1, 3)  # 3 while what was put off waits
    assert "issues/broken.md" in outcome.err
    (due.folder / f"issues/{NAME}.md").unlink()
    assert _run(due).status in (1, 3)


def test_content_with_errors_alone_is_1(post: Post) -> None:
    post.configure(SCHEDULE)
    post.cli.issue("broken", body="## No id\n\nText.\n")
    outcome = _run(post)
    assert (outcome.status, outcome.json) == (1, {"mailings": []})
    assert "issues/broken.md" in outcome.err


def test_an_after_build_that_fails_mails_nothing(due: Post) -> None:
    due.configure(f'{SCHEDULE}[site]\nafter_build = "false"\n')
    date = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    due.cli.issue(NAME, body=f"## Only {{#h{NAME}}}\n\nBetter.\n", date=date)
    outcome = _run(due)
    assert outcome.status == 2
    assert "after_build failed" in outcome.err
    assert due.counts() == {}
    due.configure(f'{SCHEDULE}[site]\nafter_build = "true"\n')
    assert _run(due).status == 0
    assert due.arrived() == {ADA: 1, BEN: 1}


def test_without_mail_what_is_due_is_2_and_idle_is_0(due: Post) -> None:
    text = due.cli.read("publisher.toml")
    due.cli.write("publisher.toml", text.replace("postal_address =", "# postal_address ="))
    outcome = _run(due)
    assert outcome.status == 2
    assert "email.postal_address must be set" in outcome.err
    assert due.counts() == {}
    (due.folder / f"issues/{NAME}.md").write_text(
        due.cli.read(f"issues/{NAME}.md").replace("status: ready", "status: ready\nmail: false")
    )
    assert _run(due).status == 0


def test_a_firing_without_an_issue_is_0_and_shown(post: Post) -> None:
    post.configure(SCHEDULE)
    post.cli.issue(NAME, status="draft", date=datetime.now(UTC).isoformat())
    _run(post)
    _make_due(post)
    outcome = _run(post)
    assert (outcome.status, outcome.json) == (0, {"mailings": []})
    last = post.cli("schedule", "--json").json["schedules"][0]["last"]
    assert last["outcome"] == "open"
    assert last["issue"] is None
    assert "it is a draft" in last["reason"]
    assert datetime.fromisoformat(last["due"]).tzinfo is not None


def test_a_restored_database_is_2_until_it_is_armed(due: Post) -> None:
    assert due.cli("backup", "copy.db").status == 0
    assert due.cli("restore", "copy.db").status == 0
    outcome = _run(due)
    assert outcome.status == 2
    assert "publisher arm" in outcome.err
    assert "schedules are off" in due.cli("schedule", "--json").err
    assert due.cli("arm").status == 0
    # What was due before is not made up for: the lost database may have sent it.
    assert _run(due).json == {"mailings": []} or datetime.now(UTC).second < 5
    assert due.arrived() == {} or datetime.now(UTC).second < 5


def test_it_follows_another_process_that_delivers(due: Post) -> None:
    due.server.delay = 0.03
    due.configure(SCHEDULE, connections=1)
    due.subscribe(60)
    sending = due.start("send", NAME, "--yes", "--json")
    deadline = time.monotonic() + 60
    while len(due.server.messages) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    outcome = _run(due)
    assert outcome.status == 0
    assert outcome.json["mailings"][0]["status"] == "finished"
    sending.communicate(timeout=60)
    assert len(due.arrived()) == len(due.server.messages) == 62


def test_an_alert_is_mailed_in_the_same_run(post: Post) -> None:
    post.configure(f'{SCHEDULE}[alerts]\nemail = "desk@ops.example"\n')
    post.cli.issue(NAME, status="draft", date=datetime.now(UTC).isoformat())
    _run(post)
    _make_due(post)
    assert _run(post).status == 0
    assert _run(post).status == 0
    (message, *more) = post.messages()
    text = message.get_body()
    assert text is not None
    about = text.get_content().removeprefix("The schedule ").partition(": ")[0]
    assert message["Subject"] == f"The Test Daily: The schedule {about}"
    assert "it is a draft" in text.get_content()
    assert len(more) <= 1  # of the next minute
