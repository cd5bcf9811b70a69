"""The file of several publications: what may stand in it, and how a publication finds it."""

from pathlib import Path

import pytest

from publisher.errors import SettingsError
from publisher.settings import SeveralPublications, load_settings
from publisher.settings_installation import (
    Installation,
    find_place,
    find_settings,
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


@pytest.mark.parametrize("linked", ["daily", "daily/publisher.toml"])
def test_no_link_leads_elsewhere(file: Path, tmp_path: Path, linked: str) -> None:
    """There nothing would be above it: a command would not find the console."""
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    (tmp_path / linked).rename(elsewhere)
    (tmp_path / linked).symlink_to(elsewhere)
    with pytest.raises(SettingsError, match="no link leads away from"):
        load_installation(file, {})


def test_a_link_to_below_is_found_by_its_end(file: Path, tmp_path: Path) -> None:
    (tmp_path / "daily").rename(tmp_path / "papers" / "really")
    (tmp_path / "daily").symlink_to(tmp_path / "papers" / "really")
    for folder in ("daily", "papers/really"):
        place = find_place(tmp_path / folder / "publisher.toml", {})
        assert place is not None
        assert place.name == "daily"
    (tmp_path / "papers" / "weekend" / "publisher.toml").unlink()
    (tmp_path / "papers" / "weekend" / "publisher.toml").symlink_to("../really/publisher.toml")
    with pytest.raises(SettingsError, match=r"daily .* and week-end .* have the same folder"):
        load_installation(file, {})


def test_a_file_of_several_names_no_other_such_file(file: Path, tmp_path: Path) -> None:
    """Not one that names it in its turn, nor itself by a link, nor any other."""
    (tmp_path / "daily" / "publisher.toml").write_text(file.read_text())
    with pytest.raises(SettingsError, match=r"daily has a publisher\.toml that names several"):
        load_installation(file, {})
    (tmp_path / "daily" / "publisher.toml").unlink()
    (tmp_path / "daily").rmdir()
    (tmp_path / "daily").symlink_to(tmp_path)
    with pytest.raises(SettingsError, match=r"daily has a publisher\.toml that names several"):
        load_installation(file, {})


def test_one_whose_folder_leads_elsewhere_is_refused(file: Path, tmp_path: Path) -> None:
    """Where the file is called otherwise, or another one nearer by names the folder, too."""
    other = file.rename(tmp_path / "several.toml")
    installation = read(other)
    with pytest.raises(SettingsError, match=r"does not find that it is daily of .*several\.toml"):
        find_settings(installation, installation.members[0], {})
    other.rename(file)
    installation = read(file)
    assert find_settings(installation, installation.members[1], {}).exists()
    nearer = tmp_path / "papers" / "publisher.toml"
    nearer.write_text('[[publication]]\nname = "other"\nfolder = "weekend"\n')
    with pytest.raises(SettingsError, match="the nearest above that names this folder"):
        find_settings(installation, installation.members[1], {})


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


def test_files_speak_like_the_environment(file: Path, tmp_path: Path) -> None:
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / "PUBLISHER__WEEK_END__SMTP__PASSWORD").write_text("own\n")
    (handed / "PUBLISHER_CONSOLE__PORT").write_text("8200\n")
    variables = {"CREDENTIALS_DIRECTORY": str(handed)}
    weekend = load_publication(file.parent / "papers/weekend/publisher.toml", variables)
    assert (weekend.smtp[0].password, weekend.console.port) == ("own", 8200)
    assert not load_publication(file.parent / "daily" / "publisher.toml", variables).smtp
    (handed / "PUBLISHER__DAYLY__SMTP__PASSWORD").write_text("x")
    with pytest.raises(SettingsError, match="no such publication"):
        read(file, variables)


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
        ('name = "week-end"', 'name = "api"', "none of"),
        ('name = "week-end"', 'name = "healthz"', "none of"),
        ('name = "week-end"', 'name = ".."', "small letters"),
        ('name = "week-end"', 'name = "week--end"', "single hyphens"),
        ('name = "week-end"', f'name = "{"w" * 65}"', "at most 64"),
        ('folder = "daily"', 'folder = "daily\\u0000"', "a folder below"),
        ('folder = "daily"', 'folder = "."', "a folder below"),
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
