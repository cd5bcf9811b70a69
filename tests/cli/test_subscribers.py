"""The readers, from the command line: what is printed, what is refused, what is left."""

import csv
import json
import os
import pty
import sqlite3
import stat
import subprocess
from io import StringIO

import pytest

from tests.audience import exports
from tests.cli.command_line import CommandLine, Process

ANNA = {
    "email": "anna@daily.example",
    "name": "",
    "status": "confirmed",
    "suppressed": False,
    "language": None,
    "paused_until": None,
    "content": "full",
    "tags": [],
    "frequency": "daily",
}


def _listed(cli: CommandLine, *words: str) -> list[dict[str, object]]:
    done = cli("subscribers", "list", "--json", *words)
    assert done.status == 0
    found: list[dict[str, object]] = done.json["subscribers"]
    return found


def _bytes(cli: CommandLine) -> bytes:
    return b"".join(path.read_bytes() for path in cli.folder.glob("publisher.db*"))


def test_add_and_list(cli: CommandLine) -> None:
    assert _listed(cli) == []
    assert cli("subscribers", "add", " ANNA@Daily.example ", "--json").json == {
        **ANNA,
        "email": "ANNA@daily.example",
    }
    done = cli("subscribers", "add", "Anna Berg <anna@daily.example>")
    assert (done.status, done.out) == (0, "ANNA@daily.example: brought up to date (confirmed)\n")
    done = cli("subscribers", "add", "anna@daily.example")
    assert (done.status, done.out) == (0, "ANNA@daily.example: there already (confirmed)\n")
    assert cli("subscribers", "add", "bob@bücher.example", "--name", "Bob").status == 0
    assert cli("subscribers", "remove", "bob@XN--BCHER-KVA.example").status == 0
    assert _listed(cli) == [
        {**ANNA, "email": "ANNA@daily.example", "name": "Anna Berg"},
        {**ANNA, "email": "bob@bücher.example", "name": "Bob", "status": "unsubscribed"},
    ]
    assert [one["name"] for one in _listed(cli, "--status", "unsubscribed")] == ["Bob"]
    assert [one["name"] for one in _listed(cli, "--search", "berg")] == ["Anna Berg"]
    table = cli("subscribers", "list")
    assert table.out.splitlines()[0].split() == ["ANNA@daily.example", "confirmed", "Anna", "Berg"]
    assert table.err == "2 subscribers.\n"
    assert cli("subscribers", "list", "--search", "nobody").err == "There is no such subscriber.\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["add", "anna"], "'anna' cannot be used: it has no @"),
        (["add", "a@x.example\nBcc: b@x.example"], "control characters"),
        (["add", "a@x.example", "--name", "A\r\nB"], "the name has control characters"),
        (["remove", "a@x.example"], "there is no subscriber a@x.example"),
        (["erase", "a@x.example", "--yes"], "there is no subscriber a@x.example"),
        (["list", "--status", "gone"], "there is no status 'gone'; there are unconfirmed, conf"),
        (["import", "none.csv"], "there is no file none.csv"),
        (["import", "publisher.toml"], "no column is called `email`"),
        (["import", ".", "--encoding", "klingon"], "there is no encoding 'klingon'"),
    ],
)
def test_what_is_refused(cli: CommandLine, words: list[str], expected: str) -> None:
    done = cli("subscribers", *words, "--json")
    assert done.status == 2
    assert expected in done.err
    assert expected in done.json["error"]
    assert _listed(cli) == []


def test_who_left_is_added_again_by_name_only(cli: CommandLine) -> None:
    cli("subscribers", "add", "anna@daily.example")
    done = cli("subscribers", "remove", "anna@daily.example", "--json")
    assert done.json == {**ANNA, "status": "unsubscribed"}
    again = cli("subscribers", "remove", "anna@daily.example")
    assert (again.status, "had unsubscribed before" in again.out) == (0, True)
    refused = cli("subscribers", "add", "anna@daily.example")
    assert refused.status == 2
    assert "unsubscribed on" in refused.err
    assert "--again" in refused.err
    assert cli("subscribers", "add", "anna@daily.example", "--again", "--json").json == ANNA


def test_import_of_other_systems(cli: CommandLine) -> None:
    (cli.folder / "audience.zip").write_bytes(exports.pack(exports.MAILCHIMP))
    cli.write("subscribers.csv", exports.LISTMONK)
    dry = cli("subscribers", "import", "audience.zip", "subscribers.csv", "--dry-run")
    assert dry.out == "5 would be added, 0 updated, 0 skipped, 6 rejected. Nothing was written.\n"
    assert "They would become: 3 confirmed, 3 suppressed, 2 unsubscribed" in dry.err
    assert _listed(cli) == []
    done = cli("subscribers", "import", "audience.zip", "subscribers.csv")
    assert done.status == 0
    assert done.out == "5 added, 0 updated, 0 skipped, 6 rejected\n"
    assert "1 rejected: mail to this address bounced there\n" in done.err
    assert (
        "subscribers.csv: 3 lines of listmonk: 1 added, 0 updated, 0 skipped, 2 reject" in done.err
    )
    assert "    listmonk's export does not say who unsubscribed" in done.err
    assert "They became: 3 confirmed, 3 suppressed, 2 unsubscribed" in done.err
    cli.write("left.csv", "email\non@daily.example\n")
    done = cli("subscribers", "import", "left.csv", "--as", "unsubscribed", "--json")
    assert done.json["became"] == {"unsubscribed": 1}
    cli.write("left.csv", exports.LISTMONK)
    done = cli("subscribers", "import", "left.csv", "--as", "unsubscribed")
    assert "listmonk's export does not say" not in done.err
    refused = cli("subscribers", "import", "left.csv", "--as", "king")
    assert (refused.status, "it is one of unconfirmed, unsubscribed" in refused.err) == (2, True)


def test_import_of_a_whole_archive_names_few_of_what_it_leaves_alone(cli: CommandLine) -> None:
    posts = {f"posts/{one}.opens.csv": exports.SUBSTACK_DELIVERED for one in range(9)}
    files = {"posts.csv": exports.SUBSTACK_POSTS, **posts, "email_list.d.csv": exports.SUBSTACK}
    (cli.folder / "export.zip").write_bytes(exports.pack(files))
    done = cli("subscribers", "import", "export.zip")
    assert done.err.count("left alone") == 4
    assert "posts.csv: left alone: no column is called `email`" in done.err
    assert "… and 7 more files left alone\n" in done.err


def test_import(cli: CommandLine) -> None:
    cli.write("readers.csv", "name,email\nAnna,anna@daily.example\nX,bad\nBob,bob@daily.example\n")
    done = cli("subscribers", "import", "readers.csv", "--json")
    assert done.status == 0
    assert done.json == {
        "added": 2,
        "updated": 0,
        "skipped": 0,
        "rejected": [{"line": 3, "value": "bad", "reason": "it has no @", "file": "readers.csv"}],
        "rejected_total": 1,
        "read": 3,
        "skipped_because": {},
        "rejected_because": {"it has no @": 1},
        "became": {"confirmed": 2},
        "files": [
            {
                "name": "readers.csv",
                "system": "",
                "read": 3,
                "added": 2,
                "updated": 0,
                "skipped": 0,
                "rejected": 1,
                "note": "",
            }
        ],
    }
    done = cli("subscribers", "import", "-", stdin=b"email\nanna@daily.example\nbad\n")
    assert done.out == "0 added, 0 updated, 1 skipped, 1 rejected\n"
    assert done.err == (
        "standard input:3: bad: it has no @\n1 skipped: there already\n1 rejected: it has no @\n"
    )
    cli.write("old.csv", "email,name\nj@x.example,Jürgen\n".encode("cp1252"))
    assert "--encoding cp1252" in cli("subscribers", "import", "old.csv").err
    assert cli("subscribers", "import", "old.csv", "--encoding", "cp1252").status == 0
    assert [one["name"] for one in _listed(cli)] == ["Anna", "Bob", "Jürgen"]


def test_import_from_a_pipe(process: Process) -> None:
    done = process.shell('"$publisher" subscribers import <(printf "email\\na@x.example\\n")')
    assert (done.returncode, done.stdout) == (0, b"1 added, 0 updated, 0 skipped, 0 rejected\n")


def test_export(cli: CommandLine) -> None:
    cli("subscribers", "add", "+anna@daily.example", "--name", "=Anna, B")
    out = cli("subscribers", "export").out
    assert out.startswith("email,name,status,suppressed,subscribed_at,consent")
    assert next(csv.reader(StringIO(out.splitlines()[1])))[:3] == [
        "'+anna@daily.example",
        "'=Anna, B",
        "confirmed",
    ]
    assert cli("subscribers", "export", "out.csv").status == 0
    file = cli.folder / "out.csv"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().decode().split() == out.split()
    assert "--force replaces it" in cli("subscribers", "export", "out.csv").err
    done = cli("subscribers", "export", "out.csv", "--force", "--json")
    assert done.json == {"path": "out.csv", "bytes": file.stat().st_size}
    (one,) = cli("subscribers", "export", "--json").json["subscribers"]
    assert (one["email"], one["reason"]) == ("+anna@daily.example", None)
    assert [line["action"] for line in one["consent"]] == ["vouched"]
    (cli.folder / "publisher.db").unlink()
    assert cli("subscribers", "import", "out.csv", "--json").json["added"] == 1
    assert _listed(cli)[0]["email"] == "+anna@daily.example"


def test_a_reader_of_an_export_may_leave_early(process: Process) -> None:
    rows = "".join(f"r{n}@x.example\n" for n in range(5_000))
    assert process("subscribers", "import", "-", stdin=b"email\n" + rows.encode()).returncode == 0
    done = process.shell('set +o pipefail; "$publisher" subscribers export | head -1')
    assert done.stdout.startswith(b"email,name")
    assert done.stderr == b""
    whole = process("subscribers", "list", "--json")
    assert len(json.loads(whole.stdout)["subscribers"]) == 5_000


def test_erase_leaves_nothing(cli: CommandLine) -> None:
    cli("subscribers", "add", "anna.unmistakable@daily.example", "--name", "Nameless Wonder")
    cli("subscribers", "add", "other@daily.example")
    assert b"anna.unmistakable" in _bytes(cli)
    refused = cli("subscribers", "erase", "anna.unmistakable@daily.example")
    assert refused.status == 2
    assert "add --yes" in refused.err
    done = cli("subscribers", "erase", " ANNA.unmistakable@daily.example", "--yes", "--json")
    assert done.json == {"erased": True, "deliveries": 0}
    data = _bytes(cli).lower()
    assert b"unmistakable" not in data
    assert b"nameless wonder" not in data
    assert b"other@daily.example" in data
    again = cli("subscribers", "erase", "anna.unmistakable@daily.example", "--yes")
    assert (again.status, "was erased on" in again.err) == (2, True)
    assert "it was erased" in cli("subscribers", "add", "anna.unmistakable@daily.example").err
    cli.write("r.csv", "email\nanna.unmistakable@daily.example\n")
    assert cli("subscribers", "import", "r.csv", "--json").json["added"] == 0
    assert b"unmistakable" not in _bytes(cli).lower()


@pytest.mark.parametrize(("answer", "status"), [(b"y\n", 0), (b"n\n", 2), (b"\n", 2)])
def test_erase_asks_on_a_terminal(process: Process, answer: bytes, status: int) -> None:
    assert process("subscribers", "add", "anna@daily.example").returncode == 0
    master, slave = pty.openpty()
    running = subprocess.Popen(
        process.command("subscribers", "erase", "anna@daily.example"),
        cwd=process.folder,
        env=process.environment({}),
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(slave)
    os.write(master, answer)
    _, err = running.communicate(timeout=60)
    os.close(master)
    assert running.returncode == status, err
    assert b"Erase anna@daily.example?" in err


@pytest.fixture
def newer(cli: CommandLine) -> CommandLine:
    cli("subscribers", "list")
    with sqlite3.connect(cli.folder / "publisher.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    return cli


def test_a_database_of_a_newer_publisher_is_refused(newer: CommandLine) -> None:
    for words in (["list"], ["add", "a@x.example"], ["export"]):
        done = newer("subscribers", *words)
        assert (done.status, "made by a newer publisher" in done.err) == (2, True)


def test_help_and_lists_import_no_database(process: Process) -> None:
    done = process("subscribers", "import", "--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0
    assert b"sqlalchemy" not in done.stderr
