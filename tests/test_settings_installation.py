"""The file of several publications: what may stand in it, and how a publication finds it."""

from pathlib import Path

import pytest

from publisher.errors import SettingsError
from publisher.settings import SeveralPublications, load_settings
from publisher.settings_installation import (
    Installation,
    find_place,
    load_installation,
    load_publication,
    require_apart,
)

BOTH = """\
[[publication]]
name = "daily"
folder = "daily"

[[publication]]
name = "week-end"
folder = "papers/weekend"
"""


def write_publication(folder: Path, name: str, more: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "publisher.toml").write_text(
        f'[publication]\nid = "tag:{name}.example,2025:x"\ntitle = "{name}"\n'
        f'url = "https://{name}.example"\ntime_zone = "Europe/Oslo"\n{more}'
    )
    return folder / "publisher.toml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_publication(tmp_path / "daily", "daily", "[web]\nport = 8101\n[console]\ngit = true\n")
    write_publication(tmp_path / "papers" / "weekend", "weekend", "[web]\nport = 8102\n")
    file = tmp_path / "publisher.toml"
    file.write_text(f'{BOTH}\n[console]\nport = 8100\nurl = "https://desk.example"\n')
    return file


def read(file: Path, environment: dict[str, str] | None = None) -> Installation:
    found = load_installation(file, environment or {})
    assert found is not None
    return found


def test_each_publication_knows_its_place_in_the_one_console(file: Path) -> None:
    daily = load_publication(file.parent / "daily" / "publisher.toml", {})
    assert daily.console.url == "https://desk.example/daily"
    assert (daily.console.port, daily.console.git) == (8100, True)
    weekend = load_publication(file.parent / "papers" / "weekend" / "publisher.toml", {})
    assert weekend.console.url == "https://desk.example/week-end"


def test_without_a_url_the_console_is_on_this_machine(file: Path) -> None:
    file.write_text(BOTH)
    daily = load_publication(file.parent / "daily" / "publisher.toml", {})
    assert daily.console.url == "http://127.0.0.1:8001/daily"
    there = {"PUBLISHER_CONSOLE__PORT": "8200"}
    daily = load_publication(file.parent / "daily" / "publisher.toml", there)
    assert daily.console.url == "http://127.0.0.1:8200/daily"


def test_what_is_not_named_is_alone(file: Path, tmp_path: Path) -> None:
    other = write_publication(tmp_path / "other", "other")
    assert find_place(other, {}) is None
    assert load_publication(other, {}).console.url == ""
    assert load_installation(other, {}) is None


def test_the_folder_may_be_a_link_to_elsewhere(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "daily"
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    place = find_place(folder / "publisher.toml", {})
    assert place is not None
    assert place.name == "daily"


def test_the_environment_speaks_to_all_or_to_one(file: Path) -> None:
    variables = {
        "PUBLISHER_SMTP__HOST": "all.example",
        "PUBLISHER_SMTP__PASSWORD": "all",
        "PUBLISHER__WEEK_END__SMTP__PASSWORD": "own",
    }
    daily = load_publication(file.parent / "daily" / "publisher.toml", variables)
    weekend = load_publication(file.parent / "papers/weekend/publisher.toml", variables)
    assert [each.smtp[0].password for each in (daily, weekend)] == ["all", "own"]
    assert [each.smtp[0].host for each in (daily, weekend)] == ["all.example"] * 2
    wrong = {"PUBLISHER__WEEK_END__SMTP__PORT": "many"}
    with pytest.raises(SettingsError, match="PUBLISHER__WEEK_END__SMTP__PORT"):
        load_publication(file.parent / "papers/weekend/publisher.toml", wrong)
    with pytest.raises(SettingsError, match="no such publication"):
        read(file, {"PUBLISHER__DAYLY__SMTP__PORT": "25"})


def test_where_one_is_asked_for_it_says_which_there_are(file: Path) -> None:
    with pytest.raises(SeveralPublications, match=r"daily, week-end.*--publication NAME"):
        load_settings(file, {})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            'folder = "papers/weekend"',
            'folder = "daily"',
            r"daily \(daily\) and week-end \(daily\)",
        ),
        ('name = "week-end"', 'name = "daily"', "have the same name, daily"),
        ('name = "week-end"', 'name = "Week End"', "small letters"),
        ('name = "week-end"', 'name = "login"', "none of"),
        ('folder = "daily"', 'folder = "../daily"', "a folder below"),
        ('folder = "daily"', 'folder = "/var/lib/daily"', "a folder below"),
        ('folder = "daily"', 'folders = "daily"', "did you mean folder"),
        ("port = 8100", 'port = "x"', "expected a whole number"),
        ("port = 8100", "git = true", "this key is unknown"),
        ("desk.example", "desk.example/x", "without a path"),
        ("[console]", '[smtp]\nhost = "x"\n[console]', "smtp: this belongs to one publication"),
        ("[console]", "[web]\nport = 1\n[console]", "web: this belongs to one publication"),
    ],
)
def test_what_is_wrong_is_said(file: Path, before: str, after: str, said: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    with pytest.raises(SettingsError, match=said):
        load_installation(file, {})


def test_no_publication_at_all_is_wrong(file: Path) -> None:
    file.write_text("publication = []\n")
    with pytest.raises(SettingsError, match="at least one"):
        load_installation(file, {})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[web]\nport = 8101\n", r"daily \(daily\) and week-end .* the same web.port, 8101"),
        ("[web]\nport = 8100\n", r"week-end .* the console's port, 8100"),
        ('[database]\nurl = "sqlite:///../../daily/publisher.db"\n', "have the same database"),
    ],
)
def test_two_have_nothing_in_common(file: Path, more: str, said: str) -> None:
    installation = read(file)
    settings = [installation.settings_of(each) for each in installation.members]
    write_publication(settings[1].parent, "weekend", more)
    loaded = {
        each.name: load_publication(path, {})
        for each, path in zip(installation.members, settings, strict=True)
    }
    with pytest.raises(SettingsError, match=said):
        require_apart(installation, loaded)


def test_an_id_is_one_publications(file: Path) -> None:
    installation = read(file)
    path = installation.settings_of(installation.members[1])
    write_publication(path.parent, "daily", "[web]\nport = 8102\n")
    loaded = {
        each.name: load_publication(installation.settings_of(each), {})
        for each in installation.members
    }
    with pytest.raises(SettingsError, match=r"the same publication\.id, tag:daily"):
        require_apart(installation, loaded)
