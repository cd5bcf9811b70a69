"""ids: into the file, and nothing else in it changes."""

import re

from tests.cli.command_line import CommandLine

TEXT = "---\ntitle: Bare  # ours\ndate: 2025-12-15\nstatus: ready\n---\n\n## One\n\nText.\n"


def test_missing_ids(cli: CommandLine) -> None:
    cli.write("issues/2025-12-15.md", TEXT)
    assert cli("build").status == 1
    done = cli("ids", "2025-12-15", "--json")
    assert done.status == 0
    assert done.json == {"issue": "2025-12-15", "path": "issues/2025-12-15.md", "minted": 2}
    assert cli("build").status == 0
    written = cli.read("issues/2025-12-15.md")
    assert re.sub(r"^id: \w+\n", "", re.sub(r" \{#\w+\}", "", written), flags=re.M) == TEXT


def test_a_second_time_changes_nothing(cli: CommandLine) -> None:
    path = cli.write("issues/2025-12-15.md", TEXT)
    cli("ids", "2025-12-15")
    before, moment = path.read_bytes(), path.stat().st_mtime_ns
    done = cli("ids", "2025-12-15")
    assert done.status == 0
    assert "it has all of its ids; nothing was changed" in done.out
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, moment)


def test_in_words(cli: CommandLine) -> None:
    cli.write("issues/2025-12-15.md", TEXT)
    assert cli("ids", "2025-12-15").out == "issues/2025-12-15.md: 2 new ids written\n"
    cli.write("issues/2025-12-16.md", TEXT.replace("---\n", "---\nid: abc\n", 1))
    assert cli("ids", "issues/2025-12-16.md").out == "issues/2025-12-16.md: 1 new id written\n"


def test_a_files_mode_is_kept(cli: CommandLine) -> None:
    path = cli.write("issues/2025-12-15.md", TEXT)
    path.chmod(0o640)
    cli("ids", "2025-12-15")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_copy_gets_an_identity_of_its_own(cli: CommandLine) -> None:
    original = cli.issue("2025-12-15").read_text()
    cli("build")
    cli.write("issues/2025-12-16.md", original)
    assert "publisher ids 2025-12-16 --fresh" in cli("build").err
    done = cli("ids", "2025-12-16", "--fresh")
    assert done.status == 0
    assert done.err == ""
    assert cli("build", "--json").json["issues"] == 2


def test_giving_up_published_ids_is_said(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    cli("build")
    done = cli("ids", "2025-12-15", "--fresh", "--json")
    assert done.status == 0
    assert done.json["minted"] == 2
    assert "i2025-12-15, h2025-12-15 had been published" in done.err


def test_no_such_issue(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    done = cli("ids", "2025-12-51", "--json")
    assert done.status == 2
    assert "did you mean 2025-12-15?" in done.json["error"]


def test_what_cannot_be_read(cli: CommandLine) -> None:
    for name, text in (("a", "---\nid: [\n---\n"), ("b", "---\ntitle: open\n"), ("c", "\0" * 50)):
        path = cli.write(f"issues/{name}.md", text)
        done = cli("ids", name)
        assert done.status == 2
        assert re.search(rf"issues/{name}\.md, line \d: ", done.err), done
        assert path.read_text() == text


def test_a_link_is_not_followed(cli: CommandLine) -> None:
    secret = cli.write("secret.md", TEXT)
    (cli.folder / "issues").mkdir()
    (cli.folder / "issues/2025-12-15.md").symlink_to(secret)
    done = cli("ids", "2025-12-15")
    assert done.status == 2
    assert "is a link; only real files are read" in done.err
    assert secret.read_text() == TEXT
