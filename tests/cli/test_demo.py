"""demo: the whole main job, and messages that mail programs accept."""

import shutil
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine, Process

ROOT = Path(__file__).parents[2]
READERS = {
    "ada": "Ada Byron <ada@reader.example>",
    "li.ming": "李明 <li.ming@reader.example>",
    "salma": "سلمى حداد <salma@reader.example>",
}


@pytest.fixture
def letters(empty: CommandLine) -> dict[str, bytes]:
    """The finished messages, by reader."""
    done = empty("demo", "--json")
    assert done.status == 0, done
    paths = [Path(path) for path in done.json["messages"]]
    slug = done.json["issue"]
    return {path.stem.removeprefix(f"{slug}-"): path.read_bytes() for path in paths}


def test_from_an_empty_folder_and_again(empty: CommandLine) -> None:
    for _ in range(2):
        done = empty("demo")
        assert done.status == 0
        assert done.out.startswith("Built ")
    assert [path.name for path in empty.folder.iterdir()] == ["publisher-demo"]
    copy = empty.folder / "publisher-demo"
    assert (copy / "public/index.html").exists()
    assert len(list((copy / "demo").glob("*.eml"))) == len(READERS)
    for line in done.out.splitlines():
        if line.startswith("  "):
            assert Path(line.rpartition("  ")[2]).exists() or Path(line.split()[-1]).exists()


def test_in_a_checkout(empty: CommandLine) -> None:
    for name in ("publisher.toml", "issues", "media"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, empty.folder / name)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, empty.folder / name)
    done = empty("demo", "--json")
    assert done.status == 0
    assert (empty.folder / "public/index.html").exists()
    assert not (empty.folder / "publisher-demo").exists()


def test_ones_own_publication_is_not_touched(cli: CommandLine) -> None:
    cli.issue("2025-12-15")
    before = cli.files()
    assert cli("demo").status == 0
    assert {k: v for k, v in cli.files().items() if not k.startswith("publisher-demo/")} == before


def test_a_folder_in_the_way(empty: CommandLine) -> None:
    empty.write("publisher-demo/mine.txt", "mine")
    done = empty("demo", "--json")
    assert done.status == 2
    assert "is in the way of the demo" in done.json["error"]


def test_a_sample_that_was_broken_says_so(empty: CommandLine) -> None:
    empty("demo")
    empty.write("publisher-demo/issues/2025-12-16.md", "---\nstatus: ready\n---\n\n## One\n\nx\n")
    done = empty("demo")
    assert done.status == 2
    assert "issues/2025-12-16.md:1: error: the issue has no id" in done.err


def test_the_sample_readers_were_really_sent_to(empty: CommandLine) -> None:
    done = empty("demo", "--json")
    assert done.json["counts"]["sent"] == len(READERS)
    assert (empty.folder / "publisher-demo/demo/readers.db").exists()
    assert not (empty.folder / "publisher-demo/publisher.db").exists()


def test_messages_parse_without_a_defect(letters: dict[str, bytes]) -> None:
    assert letters.keys() == READERS.keys()
    for raw in letters.values():
        message = message_from_bytes(raw, policy=policy.strict)
        assert message.defects == []
        for part in message.walk():
            assert part.defects == []
        assert message.get_content_type() == "multipart/alternative"
        kinds = [part.get_content_type() for part in message.iter_parts()]
        assert kinds == ["text/plain", "text/html"]


def test_every_reader_is_greeted_by_name(letters: dict[str, bytes]) -> None:
    for reader, raw in letters.items():
        to = message_from_bytes(raw)["To"]
        assert str(make_header(decode_header(to))) == READERS[reader]


def test_lines(letters: dict[str, bytes]) -> None:
    for raw in letters.values():
        assert raw.count(b"\n") == raw.count(b"\r\n")
        assert raw.count(b"\r") == raw.count(b"\r\n")
        lines = raw.split(b"\r\n")
        assert all(max(line, default=0) < 128 for line in lines)
        # A link to leave is written on one line, however long.
        long = [line for line in lines if len(line) > 78]
        assert all(line.startswith((b"List-Unsubscribe: <https://", b" <mailto:")) for line in long)
        assert max(map(len, lines)) <= 998


def test_one_click_leaving(letters: dict[str, bytes]) -> None:
    links = set()
    for raw in letters.values():
        lines = raw.split(b"\r\n\r\n")[0].split(b"\r\n")
        (link,) = [line for line in lines if line.startswith(b"List-Unsubscribe: ")]
        assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
        url = link.removeprefix(b"List-Unsubscribe: <").removesuffix(b">,").decode()
        assert url.startswith("https://daily.example/unsubscribe/")
        message = message_from_bytes(raw, policy=policy.default)
        for kind in ("plain", "html"):
            part = message.get_body((kind,))
            assert part is not None
            assert part.get_content().count(url) >= 1
            assert "slot.invalid" not in part.get_content()
        links.add(url)
    assert len(links) == len(READERS)


def test_headers(letters: dict[str, bytes]) -> None:
    ids = set()
    for raw in letters.values():
        message = message_from_bytes(raw, policy=policy.default)
        assert message["From"].addresses[0].addr_spec == "daily@daily.example"
        assert message["From"].addresses[0].display_name == "The Lantern Daily"
        assert message["Subject"]
        assert message["Date"].datetime is not None
        assert message["List-Id"] == "The Lantern Daily <daily.daily.example>"
        assert message["Content-Language"] == "en"
        assert message["MIME-Version"] == "1.0"
        ids.add(message["Message-ID"])
        names = [name.lower() for name in message]
        assert len(names) == len(set(names))
    assert len(ids) == len(READERS)


def test_the_text_is_what_the_site_shows(empty: CommandLine) -> None:
    done = empty("demo", "--json")
    raw = Path(done.json["messages"][0]).read_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    text = message.get_body(("plain",))
    assert text is not None
    site = empty.read(f"publisher-demo/public/issues/{done.json['issue']}/email.txt")
    ours = text.get_content()
    start = site.index("unsubscribe") if "unsubscribe" in site else len(site) // 2
    assert ours[:start].splitlines()[:40] == site[:start].splitlines()[:40]


def test_without_a_home_and_in_plain_ascii(process: Process) -> None:
    environment = {"HOME": None, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = process("demo", env=environment)
    assert done.returncode == 0, done.stderr
