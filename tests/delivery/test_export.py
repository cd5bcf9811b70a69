"""Everything out, and the way back: a round trip that loses nothing but what is said to be lost."""

import json
import re
import shutil
import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from publisher.message.links import read_token, sign_token
from publisher.runtime.start import load_keys
from publisher.settings import load_settings
from publisher.store import schema as s
from publisher.store.database import open_database
from publisher.store.tables import PASSING, SECRET
from tests.cli.command_line import CommandLine
from tests.delivery.post import NAME, Post
from tests.smtp.scripted import Rule, say

# What is exported of a server's database is a file's first: tests/store/test_moving.py.
pytestmark = pytest.mark.sqlite
# Rows of each that tests below need there to be, or equality would say nothing.
FILLED = ("subscriber", "consent", "suppression", "mailing", "delivery", "ledger", "operator")
SECRET_WORDS = ("hunter2-of-the-relay", "hook-secret-0123456789abcdef")
SECRETS = f"""
[alerts]
webhook = "https://hooks.example/{SECRET_WORDS[0]}"

[[webhook]]
url = "https://hooks.example/{SECRET_WORDS[0]}/events"
secret = "{SECRET_WORDS[1]}"
events = ["mailing.finished"]

[feeds]
window = "30d" # which stays
"""


@pytest.fixture
def full(post: Post, tmp_path_factory: pytest.TempPathFactory) -> Post:
    """A publication in which everything that it can have has happened; made once, and copied."""
    made = tmp_path_factory.getbasetemp() / "full"
    if not made.exists():
        _fill(post)
        shutil.copytree(post.folder, made)
    shutil.copytree(made, post.folder, dirs_exist_ok=True)
    post.configure(SECRETS)  # with a relay of its own
    return post


def _fill(post: Post) -> None:
    post.configure(SECRETS)
    post.subscribe(["ada@reader.example", "ben@leser.example", "cy@x.example", "dee@x.example"])
    post.cli("subscribers", "remove", "cy@x.example")
    post.cli("subscribers", "erase", "dee@x.example", "--yes")
    post.cli.write("left.csv", "email,status\ndead@x.example,bounced\nwait@x.example,pending\n")
    post.cli("subscribers", "import", "left.csv")
    post.cli.write("media/日报/pier.png", "no picture")
    post.cli.write("templates/pages/own.html", "own")
    post.server.rules.append(
        Rule("rcpt", say("550 5.1.1 no such user"), recipient="ben@leser.example")
    )
    assert post.send().status == 0
    post.cli.write("left.csv", "email,status\nben@leser.example,bounced\n")
    post.cli("subscribers", "import", "left.csv")
    post.cli("users", "add", "anna@daily.example", "--role", "owner")
    post.cli("tokens", "create", "desk", "--scope", "issues:read")
    _execute(
        post.folder / "publisher.db",
        "INSERT INTO operator (publication, email, key, name, role, password_hash, created_at,"
        " password_changed_at) VALUES (1, 'bo@x.example', 'bo@x.example', '', 'owner',"
        " '$argon2id$its-hash', 1, 1)",
        "INSERT INTO reading_count (publication, day, feed, clients) VALUES (1, 'day', '', 3)",
        # Ids that were given once are never given again.
        "UPDATE sqlite_sequence SET seq = 500 WHERE name = 'subscriber'",
    )


def _execute(path: Path, *statements: str) -> None:
    raw = sqlite3.connect(path)
    for statement in statements:
        raw.execute(statement)
    raw.commit()
    raw.close()


def _rows(path: Path, table: str) -> list[tuple[Any, ...]]:
    raw = sqlite3.connect(path)
    try:
        return list(raw.execute(f"SELECT * FROM {table} ORDER BY 1"))
    finally:
        raw.close()


def _own_files(folder: Path) -> dict[str, bytes]:
    """The publication's files: all but what is made of them, and the database."""
    found = CommandLine.files(CommandLine(folder, None, None))  # type: ignore[arg-type]
    made = ("public/", "publisher.db", "left.csv", "out")
    return {path: data for path, data in found.items() if not path.startswith(made)}


def _move(post: Post, target: str, *words: str) -> Path:
    """Export, and make a publication of it beside the first one."""
    done = post.cli("export", target, *words, "--json")
    assert done.status == 0, done
    folder = post.folder.parent / f"{post.folder.name}-moved"
    shutil.rmtree(folder, ignore_errors=True)
    made = post.cli("init", folder, "--from", target, "--json")
    assert made.status == 0, made
    assert made.json["tables"] == done.json["tables"]
    return folder


@pytest.mark.parametrize("target", ["out.zip", "out"])
def test_a_round_trip_loses_nothing(full: Post, target: str) -> None:
    before = {table.name: _rows(full.folder / "publisher.db", table.name) for table in _tables()}
    folder = _move(full, target, "--with-secrets")
    after = {table.name: _rows(folder / "publisher.db", table.name) for table in _tables()}
    for name in before:
        if name not in PASSING:
            assert after[name] == before[name], name
    filled = (*FILLED, *SECRET[:2], "reading_count")
    assert [name for name in filled if not before[name]] == []
    assert after["publication"] == before["publication"]
    keys = dict(before["installation"])
    assert {key: value for key, value in after["installation"] if key.endswith("-key")} == {
        key: value for key, value in keys.items() if key.endswith("-key")
    }
    was, now = (
        dict(_rows(each / "publisher.db", "sqlite_sequence")) for each in (full.folder, folder)
    )
    assert {name: now.get(name, 0) for name in was if name not in PASSING} == {
        name: last for name, last in was.items() if name not in PASSING
    }
    assert _own_files(folder) == _own_files(full.folder)
    assert {"media/日报/pier.png", "issues/register.jsonl"} <= set(_own_files(folder))


def test_what_is_built_of_it_is_the_same(full: Post) -> None:
    folder = _move(full, "out.zip")
    moved = CommandLine(folder, full.cli.monkeypatch, full.cli.capfd)
    assert moved("build").status == 0
    for path in ("feed.atom", "issues.json", f"issues/{NAME}/index.html", "feeds.opml"):
        assert (folder / "public" / path).read_bytes() == full.cli.read(f"public/{path}").encode()


def _tables() -> list[Any]:
    return list(s.metadata.sorted_tables)


def test_without_secrets_none_is_in_it(full: Post) -> None:
    keys = dict(_rows(full.folder / "publisher.db", "installation"))
    done = full.cli("export", "out")
    assert done.status == 0
    whole = b"".join(
        path.read_bytes() for path in (full.folder / "out").rglob("*") if path.is_file()
    )
    secrets = [*SECRET_WORDS, "argon2", keys["link-key"], keys["message-key"]]
    assert [word for word in secrets if word.encode() in whole] == []
    assert keys["address-key"].encode() in whole
    kept = (full.folder / "out/publisher.toml").read_text()
    assert 'window = "30d" # which stays' in kept
    assert "# alerts.webhook was left out of the export" in kept
    assert "Left out: publisher.toml: webhook" in done.err
    assert "Links in mails that were sent work only where this database is" in done.err
    folder = _move(full, "out.zip")
    operators = _rows(folder / "publisher.db", "operator")
    assert [(row[2], row[6]) for row in operators] == [("bo@x.example", "")]


def test_links_in_mail_that_was_sent_go_on_working(full: Post) -> None:
    database = full.open()
    keys = load_keys(database, load_settings(full.folder / "publisher.toml", {}))
    database.close()
    (ref,) = full.rows("SELECT ref FROM subscriber WHERE email = 'ada@reader.example'")[0]
    token = sign_token("unsubscribe", ref, keys.links)
    for words, is_read in ((("--with-secrets",), True), ((), False)):
        folder = _move(full, f"out{len(words)}.zip", *words)
        settings = load_settings(folder / "publisher.toml", {})
        database = open_database(settings.database.url, folder, settings.publication.id)
        keys = load_keys(database, settings)
        database.close()
        assert bool(read_token(token, "unsubscribe", keys.links)) is is_read


def test_nobody_who_left_is_written_to_again(full: Post) -> None:
    folder = _move(full, "out.zip")
    moved = CommandLine(folder, full.cli.monkeypatch, full.cli.capfd)
    everybody = ["cy@x.example", "dee@x.example", "dead@x.example"]
    moved.write("all.csv", "email\n" + "\n".join(everybody) + "\n")
    done = moved("subscribers", "import", "all.csv", "--json").json
    assert (done["added"], len(done["rejected"])) == (0, 3)


def test_it_sends_nothing_until_it_is_armed(full: Post) -> None:
    folder = _move(full, "out.zip", "--with-secrets")
    moved = CommandLine(folder, full.cli.monkeypatch, full.cli.capfd)
    moved.issue("2025-12-16")
    refused = moved("send", "2025-12-16", "--yes")
    assert refused.status == 2
    assert "publisher arm" in refused.err
    assert moved("arm").status == 0
    before = full.arrived()["ada@reader.example"]
    assert moved("send", "2025-12-16", "--yes").status == 0
    assert full.arrived()["ada@reader.example"] == before + 1
    assert full.cli("export", "later.zip").status == 0  # the first one is as it was


def test_a_mailing_that_was_under_way_is_paused_in_it(post: Post) -> None:
    post.subscribe(["ada@reader.example", "ben@leser.example"])
    post.server.rules.append(Rule("rcpt", say("450 later"), recipient="ben@leser.example"))
    post.send()
    folder = _move(post, "out.zip")
    assert post.status()["status"] == "sending"
    moved = CommandLine(folder, post.cli.monkeypatch, post.cli.capfd)
    assert moved("status", NAME, "--json").json["status"] == "paused"
    assert moved("arm", "--json").json["resumed"] == [NAME]


@pytest.mark.long
def test_an_export_while_others_write_is_of_one_moment(post: Post) -> None:
    post.subscribe(["ada@reader.example"])
    stop = Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            post.subscribe([f"new{number}@x.example"])
            number += 1

    writer = Thread(target=write)
    writer.start()
    try:
        done = post.cli("export", "out", "--json")
    finally:
        stop.set()
        writer.join()
    assert done.status == 0
    tables = done.json["tables"]
    assert tables["subscriber"] == tables["consent"] > 0
    lines = (post.folder / "out/readers.csv").read_text().splitlines()
    assert len(lines) == tables["subscriber"] + 1


def test_it_is_the_owners_alone_and_leaves_nothing_else(full: Post) -> None:
    before = {path.name for path in full.folder.iterdir()}
    for target in ("out", "out.zip"):
        assert full.cli("export", target).status == 0
    assert {path.name for path in full.folder.iterdir()} == before | {"out", "out.zip"}
    files = [path for path in (full.folder / "out").rglob("*") if path.is_file()]
    for path in (full.folder / "out.zip", *files):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    refused = full.cli("export", "out")
    assert (refused.status, "is there already" in refused.err) == (2, True)


def test_a_secret_that_cannot_be_left_out_stops_it(post: Post) -> None:
    post.cli.write(
        "publisher.toml",
        post.cli.read("publisher.toml")
        + '\n[web]\nsecret_keys = ["0123456789abcdef0123456789abcdef"]'
        '\n\n[database]\nurl = "sqlite:///publisher.db"\n',
    )
    assert post.cli("export", "fine").status == 0
    text = post.cli.read("publisher.toml")
    relay = re.search(r"\[smtp\]\n(.*\n)+?\n", text)
    assert relay
    inline = '[[smtp]]\nhost = "127.0.0.1"\nsecurity = "none"\n\n'
    text = text.replace(relay[0], inline)
    post.cli.write("publisher.toml", 'alerts = { heartbeat = "https://x.example/beat" }\n' + text)
    refused = post.cli("export", "out")
    assert refused.status == 2
    assert "alerts.heartbeat cannot be left out" in refused.err
    assert not (post.folder / "out").exists()
    assert post.cli("export", "out", "--with-secrets").status == 0


def _damage(folder: Path, how: str) -> None:
    if how == "a file is missing":
        (folder / "data/ledger.jsonl").unlink()
    elif how == "a file was changed":
        (folder / f"issues/{NAME}.md").write_text("other")
    elif how == "its list is gone":
        (folder / "export.json").unlink()
    else:
        manifest = json.loads((folder / "export.json").read_text())
        if how == "of a format to come":
            manifest["format"] = 2
        elif how == "of a newer publisher":
            manifest["schema"] = "9999"
        elif how == "a way out of the folder":
            manifest["files"]["media/../../evil.txt"] = manifest["files"]["README.md"]
        elif how == "a table of its own":
            manifest["tables"]["sqlite_master"] = manifest["tables"]["ledger"]
            shutil.copy(folder / "data/ledger.jsonl", folder / "data/sqlite_master.jsonl")
            listed = manifest["files"]["data/ledger.jsonl"]
            manifest["files"]["data/sqlite_master.jsonl"] = listed
        (folder / "export.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("a file is missing", "is not whole: data/ledger.jsonl is missing"),
        ("a file was changed", f"is damaged: issues/{NAME}.md is not as it was written"),
        ("its list is gone", "is no export: it has no export.json"),
        ("of a format to come", "is of a format 2 that this publisher does not know"),
        ("of a newer publisher", "was made by a newer publisher (schema 9999)"),
        ("a way out of the folder", "names a file 'media/../../evil.txt', which is no path"),
        ("a table of its own", "has a table 'sqlite_master' that this publisher does not know"),
    ],
)
def test_a_damaged_export_makes_nothing(full: Post, how: str, said: str) -> None:
    full.cli("export", "out")
    _damage(full.folder / "out", how)
    before = set(full.folder.parent.iterdir())
    refused = full.cli("init", full.folder.parent / "moved", "--from", "out", "--json")
    assert refused.status == 2
    assert said in refused.err
    assert set(full.folder.parent.iterdir()) == before


def test_an_archive_that_was_cut_off_makes_nothing(full: Post) -> None:
    full.cli("export", "out.zip")
    path = full.folder / "out.zip"
    path.write_bytes(path.read_bytes()[:-100])
    refused = full.cli("init", "moved", "--from", "out.zip")
    assert refused.status == 2
    assert "out.zip is no export" in refused.err
    assert not (full.folder / "moved").exists()
    assert "there is no export nothing.zip" in full.cli("init", "x", "--from", "nothing.zip").err


def test_nothing_is_written_over(full: Post) -> None:
    full.cli("export", "out")
    refused = full.cli("init", ".", "--from", "out")
    assert (refused.status, "and not empty" in refused.err) == (2, True)
    assert "leave them out" in full.cli("init", "x", "--from", "out", "--title", "T").err
    (full.folder / "empty").mkdir()
    assert full.cli("init", "empty", "--from", "out").status == 0


@pytest.mark.long
def test_an_export_of_an_older_schema_is_brought_up_to_date(full: Post) -> None:
    """As one of a publisher that did not know webhooks yet."""
    full.cli("export", "out", "--with-secrets")
    manifest = json.loads((full.folder / "out/export.json").read_text())
    manifest["schema"] = "0007"
    for name in ("webhook", "webhook_event"):
        manifest["tables"].pop(name, None)
    (full.folder / "out/export.json").write_text(json.dumps(manifest))
    assert full.cli("init", "moved", "--from", "out").status == 0
    rows = _rows(full.folder / "moved/publisher.db", "subscriber")
    assert rows == _rows(full.folder / "publisher.db", "subscriber")


def test_the_lists_for_spreadsheets(full: Post) -> None:
    full.cli("export", "out")
    readers = (full.folder / "out/readers.csv").read_text()
    assert readers.splitlines()[0].startswith("email,name,status,suppressed")
    assert "ada@reader.example,,confirmed" in readers
    lines = (full.folder / "out/suppressions.csv").read_text().splitlines()
    assert lines[0] == "email,reason,at"
    assert sorted(line.split(",")[:2] for line in lines[1:]) == [
        ["", "bounce"],
        ["", "erased"],
        ["ben@leser.example", "bounce"],
    ]
    sent = [json.loads(line) for line in (full.folder / "out/data/delivery.jsonl").open()]
    assert {row["status"] for row in sent} == {"sent", "failed"}
    assert datetime.fromisoformat(sent[0]["first_attempt_at"]).astimezone(UTC).year > 2024
    assert (full.folder / "out/feeds/feed.atom").read_bytes() == (
        full.folder / "public/feed.atom"
    ).read_bytes()
