"""send, as an operator and as a script use it."""

import json

import pytest

from tests.delivery.post import NAME, Post
from tests.smtp.scripted import Rule, say

OTHER = "2025-12-14"
ADDRESSES = ["ada@reader.example", "li.ming@reader.example", "salma@leser.example"]


def test_everyone_who_is_subscribed_gets_the_issue_once(post: Post) -> None:
    post.subscribe(ADDRESSES)
    outcome = post.send()
    assert outcome.status == 0, outcome
    assert post.arrived() == dict.fromkeys(ADDRESSES, 1)
    document = outcome.json
    assert document["issue"] == NAME
    assert document["status"] == "finished"
    assert document["counts"] == {
        **dict.fromkeys(("queued", "sending", "deferred", "failed", "in_doubt"), 0),
        "sent": 3,
        "suppressed": 0,
        "cancelled": 0,
    }


def test_the_ledger_has_one_line_for_each_outcome(post: Post) -> None:
    post.subscribe(40)
    post.send()
    lines = post.rows("SELECT delivery FROM ledger WHERE event = 'accepted' ORDER BY delivery")
    assert lines == [(number,) for number in range(1, 41)]


def test_a_second_send_does_nothing_and_says_so(post: Post) -> None:
    post.subscribe(ADDRESSES)
    first = post.send()
    again = post.send()
    assert (again.status, again.json) == (5, first.json)
    assert len(post.server.messages) == 3


def test_the_site_is_built_before_anything_is_mailed(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.send()
    assert (post.folder / "public" / "issues" / NAME / "index.html").exists()


def test_a_message_has_what_bulk_senders_must_have(post: Post) -> None:
    post.configure("[web]\nurl = 'https://leave.daily.example'")
    post.subscribe(ADDRESSES[:1])
    post.send()
    (message,) = post.messages()
    assert message["To"] == "ada@reader.example"
    assert message["From"] == "The Test Daily <daily@daily.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    https, mailto = message["List-Unsubscribe"].split(", ")
    assert https.startswith("<https://leave.daily.example/unsubscribe/")
    assert mailto.startswith("<mailto:daily@daily.example?subject=unsubscribe%20")
    assert message["Message-ID"].endswith("@daily.example>")
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    link = https.strip("<>")
    for part in message.iter_parts():
        assert link in part.get_content()
        assert "slot.invalid" not in part.get_content()


def test_each_reader_has_a_link_and_a_message_id_of_their_own(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.send()
    messages = post.messages()
    assert len({message["Message-ID"] for message in messages}) == 3
    assert len({message["List-Unsubscribe"] for message in messages}) == 3


def test_deliveries_show_what_was_sent_under_which_id(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.send()
    sent = {message["To"]: message["Message-ID"] for message in post.messages()}
    listed = post.deliveries()
    assert {email: each["message_id"] for email, each in listed.items()} == sent
    assert {each["status"] for each in listed.values()} == {"sent"}
    assert {each["attempts"] for each in listed.values()} == {1}
    assert all(each["last_reply"].startswith("250") for each in listed.values())
    assert post.deliveries("--status", "failed") == {}


def test_without_yes_and_without_a_terminal_nothing_is_sent(post: Post) -> None:
    post.subscribe(ADDRESSES)
    outcome = post.cli("send", NAME)
    assert outcome.status == 2
    assert "--yes" in outcome.err
    assert "3 subscribed" in outcome.err
    assert post.status()["status"] is None
    assert not post.server.messages


def test_a_dry_run_starts_nothing_and_names_the_digest_that_is_sent(post: Post) -> None:
    post.subscribe(ADDRESSES)
    foreseen = post.send("--dry-run")
    assert foreseen.status == 0, foreseen
    assert foreseen.json["recipients"] == 3
    assert foreseen.json["mailing"] is None
    assert not (post.folder / "public").exists()
    assert not post.server.messages
    assert post.send().json["digest"] == foreseen.json["digest"]


def test_nobody_subscribed_is_nothing_to_do(post: Post) -> None:
    outcome = post.send()
    assert outcome.status == 5
    assert outcome.json["mailing"] is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"status": "draft"}, 1), ({"date": "2999-01-01T00:00:00Z"}, 1), ({"mail": "false"}, 2)],
)
def test_what_is_not_meant_to_go_out_does_not(
    post: Post, fields: dict[str, str], status: int
) -> None:
    post.subscribe(ADDRESSES)
    post.cli.issue(NAME, **fields)
    assert post.send().status == status
    assert post.send("--dry-run").status == status
    assert not post.server.messages


def test_an_issue_with_errors_is_not_sent(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.cli.issue(NAME, body="## No id\n\nText.\n")
    outcome = post.send()
    assert outcome.status == 1
    assert "id" in outcome.err
    assert not post.server.messages


def test_a_failing_after_build_mails_nothing(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.configure('[site]\nafter_build = "exit 3"')
    outcome = post.send()
    assert outcome.status == 2
    assert "after_build" in outcome.err
    assert post.status()["mailing"] is None
    assert not post.server.messages


def test_an_edit_after_the_start_changes_nothing_that_is_sent(post: Post) -> None:
    post.subscribe(ADDRESSES)
    digest = post.send().json["digest"]
    post.cli.issue(NAME, body="## Only {#h2025-12-15}\n\nQuite another text.\n")
    again = post.send()
    assert (again.status, again.json["digest"]) == (5, digest)
    assert len(post.server.messages) == 3


def test_a_renamed_file_is_still_the_same_issue(post: Post) -> None:
    post.cli.issue(NAME, date="2025-12-15T07:00:00Z")
    post.subscribe(ADDRESSES)
    post.send()
    (post.folder / f"issues/{NAME}.md").rename(post.folder / "issues/other-name.md")
    assert post.cli("send", "other-name", "--yes").status == 5
    assert post.cli("status", "other-name", "--json").json["counts"]["sent"] == 3
    assert len(post.server.messages) == 3


def test_a_copied_file_is_an_error(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.send()
    text = post.cli.read(f"issues/{NAME}.md")
    post.cli.write("issues/copy.md", text)
    outcome = post.cli("send", "copy", "--yes")
    assert outcome.status == 1, outcome
    assert len(post.server.messages) == 3


def test_a_test_goes_to_one_address_and_starts_no_mailing(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.cli.issue(NAME, status="draft")
    outcome = post.send("--test", "Desk@office.example")
    assert outcome.status == 0, outcome
    assert post.arrived() == {"Desk@office.example": 1}
    assert post.messages()[0]["Subject"].startswith("[Test] ")
    assert post.status()["mailing"] is None
    assert post.cli("status", "--json").json["mailings"] == []


def test_a_test_that_is_refused_says_why(post: Post) -> None:
    post.server.rules.append(Rule("rcpt", say("550 5.1.1 no such mailbox")))
    outcome = post.send("--test", "ada@reader.example")
    assert outcome.status == 2
    assert "550 5.1.1 no such mailbox" in outcome.both
    assert len(json.loads(outcome.out)) == 1


def test_a_test_leaves_the_mailings_that_were_begun_alone(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.server.rules.append(Rule("mail", say("421 4.3.2 shutting down")))
    assert post.send().status == 3
    post.server.rules.clear()
    post.cli.issue(OTHER)
    assert post.cli("send", OTHER, "--test", "me@desk.example").status == 0
    assert post.arrived() == {"me@desk.example": 1}
    assert post.counts() == {"queued": 3}


def test_a_dry_run_and_a_test_are_not_one(post: Post) -> None:
    assert post.send("--dry-run", "--test", "ada@reader.example").status == 2
    assert post.arrived() == {}


def test_a_dry_run_needs_no_relay(post: Post) -> None:
    post.subscribe(ADDRESSES)
    text = post.cli.read("publisher.toml").replace('host = "127.0.0.1"', 'host = ""')
    post.cli.write("publisher.toml", text)
    outcome = post.send("--dry-run")
    assert (outcome.status, outcome.json["recipients"]) == (0, 3)


def test_a_mailing_goes_on_only_with_a_site_that_was_built(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.server.rules.append(Rule("mail", say("421 4.3.2 shutting down")))
    post.send()
    post.server.rules.clear()
    post.cli.write(
        "issues/broken.md", "---\ntitle: No ids\nstatus: ready\n---\n\n## One\n\nText.\n"
    )
    assert post.send().status == 1
    assert post.arrived() == {}


def test_a_paused_mailing_is_said_to_be_paused_whatever_else(post: Post) -> None:
    post.subscribe(ADDRESSES)
    post.server.rules.append(Rule("mail", say("550 5.7.1 no")))
    post.send()
    post.cli.issue(NAME, body="## One\n\nText.\n")
    refused = post.send()
    assert refused.status == 2
    assert "resume" in refused.err


def test_a_sender_at_an_internationalised_domain_can_send(post: Post) -> None:
    text = post.cli.read("publisher.toml").replace("daily@daily.example>", "daily@bücher.example>")
    post.cli.write("publisher.toml", text)
    post.subscribe(ADDRESSES)
    assert post.send().status == 0
    (message, *_) = post.messages()
    assert "daily@xn--bcher-kva.example" in str(message["From"])


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('[dkim]\ndomain = "daily.example"\nselector = "s"\nprivate_key = "none.pem"', "none.pem"),
        ('[email]\nverp = true\nreturn_path = "{long}@daily.example"', "email.verp"),
    ],
)
def test_what_no_message_could_be_made_with_starts_no_mailing(
    post: Post, extra: str, said: str
) -> None:
    post.subscribe(ADDRESSES)
    text = post.cli.read("publisher.toml")
    table, _, keys = extra.format(long="b" * 58).partition("\n")
    merged = text.replace(table, f"{table}\n{keys}") if table in text else f"{text}\n{extra}\n"
    post.cli.write("publisher.toml", merged)
    refused = post.send()
    assert refused.status == 2
    assert said in refused.err
    assert post.status()["mailing"] is None


def test_a_test_to_no_address_is_refused(post: Post) -> None:
    outcome = post.send("--test", "nobody at all")
    assert outcome.status == 2
    assert "nobody at all" in outcome.err


@pytest.mark.parametrize("key", ["from", "postal_address"])
def test_what_every_message_needs_is_asked_for(post: Post, key: str) -> None:
    post.subscribe(ADDRESSES)
    text = post.cli.read("publisher.toml")
    kept = [line for line in text.splitlines() if not line.startswith(f"{key} =")]
    post.cli.write("publisher.toml", "\n".join(kept))
    outcome = post.send()
    assert outcome.status == 2
    assert f"email.{key}" in outcome.err


def test_an_unknown_issue_is_named(post: Post) -> None:
    outcome = post.cli("send", "2025-12-16", "--yes", "--json")
    assert outcome.status == 2
    assert NAME in json.loads(outcome.out)["error"]


def test_only_those_subscribed_when_it_starts_get_it(post: Post) -> None:
    post.subscribe(ADDRESSES[:2])
    post.send()
    post.subscribe(ADDRESSES[2:])
    assert post.send().status == 5
    assert sorted(post.arrived()) == sorted(ADDRESSES[:2])


def test_status_and_deliveries_of_what_was_never_sent(post: Post) -> None:
    shown = post.status()
    assert (shown["mailing"], shown["status"], shown["digest"]) == (None, None, None)
    assert set(shown["counts"].values()) == {0}
    listed = post.cli("deliveries", NAME, "--json")
    assert (listed.status, listed.json) == (0, {"deliveries": []})
    assert post.cli("deliveries", "2001-01-01").status == 2
    assert post.cli("status").status == 0
