"""Several publications with one console: the file that names them, and how each finds it.

An installation is a folder whose publisher.toml has `[[publication]]` tables. Each names the folder
of an ordinary publication below it, which knows nothing of the others; from there the installation
is found by looking upwards, so that a command says the same wherever it is called.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from publisher.errors import SettingsError
from publisher.settings import (
    FILE_NAME,
    Place,
    Settings,
    load_settings,
    read_settings,
    read_variables,
)
from publisher.settings_environment import PREFIX, lay_over
from publisher.settings_errors import Explainer
from publisher.settings_tables import Port, Table
from publisher.settings_values import address_of_console, is_http_url

_NAME = re.compile(r"(?=.{1,64}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")
# What the console has at its root besides the publications.
_TAKEN = ("api", "assets", "healthz", "login", "logout", "metrics")
_A_NAME = (
    "small letters and digits with single hyphens between, at most 64, such as daily; and none of"
    f" {', '.join(_TAKEN)}"
)
_A_FOLDER = "a folder below this file's, such as daily or papers/daily"
_NO_LINK = "a folder below this file's that no link leads away from"
_SQLITE = "sqlite:///"
_AN_ORIGIN = "a URL without a path, such as https://desk.news.example"


class Member(Table, frozen=True):
    """One of several publications: its place in the console, and its folder."""

    name: str
    folder: str


class Entrance(Table, frozen=True):
    """The one console of several publications."""

    host: str = "127.0.0.1"
    port: Port = 8001
    url: str = ""


class _File(Table, frozen=True):
    publication: tuple[Member, ...]
    console: Entrance = Entrance()


class Installation(msgspec.Struct, frozen=True):
    """Several publications, in the order of their file."""

    path: Path
    console: Entrance
    members: tuple[Member, ...]

    def settings_of(self, member: Member) -> Path:
        """The file of a publication's settings."""
        return self.path.parent / member.folder / FILE_NAME

    def place_of(self, member: Member) -> Place:
        """Where a publication is in the one console."""
        console = self.console
        base = address_of_console(console.host, console.port, console.url)
        return Place(member.name, console.host, console.port, f"{base}/{member.name}")

    def find(self, name: str) -> Member:
        """The publication of a name. Raises SettingsError."""
        for member in self.members:
            if member.name == name:
                return member
        raise SettingsError(f"{self.path} has no publication {name!r}; {_list(self.members)}")


def load_installation(
    path: Path, environment: Mapping[str, str] = os.environ
) -> Installation | None:
    """Read and check the file of an installation; None where it is a publication's.

    Raises SettingsError, also for a variable `PUBLISHER__NAME__…` of no publication.
    """
    raw = read_settings(path)
    if not isinstance(raw.get("publication"), list):
        return None
    variables = read_variables(environment)
    console = {each: text for each, text in variables.items() if _is_of_console(each)}
    origins = lay_over(raw, _File, console, _decode)
    explainer = Explainer(_File, path.name, origins)
    if alien := [key for key in raw if key not in ("publication", "console")]:
        where = explainer.where(alien[0])
        raise SettingsError(
            f"{where}: this belongs to one publication, and this file names several; write it into"
            f" the {FILE_NAME} in the folder of each that it is for"
        )
    try:
        file = msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        raise SettingsError(explainer.explain(str(error), raw)) from None
    if wrong := [*_wrong_members(file.publication, path.parent), *_wrong_console(file.console)]:
        raise SettingsError("\n".join(explainer.say(*each) for each in wrong))
    found = Installation(path, file.console, file.publication)
    _require_apart(found)
    _require_known(found, variables)
    return found


def _is_of_console(variable: str) -> bool:
    return variable.startswith(f"{PREFIX}CONSOLE__")


def _decode(type_: type, value: Any) -> Any:
    raise NotImplementedError


def _wrong_members(members: Sequence[Member], folder: Path) -> list[tuple[str, Any, str]]:
    wrong: list[tuple[str, Any, str]] = []
    if not members:
        wrong.append(("publication", [], "at least one table [[publication]]"))
    for place, member in enumerate(members):
        key = f"publication[{place}]".replace("[0]", "")
        if not _NAME.fullmatch(member.name) or member.name in _TAKEN:
            wrong.append((f"{key}.name", member.name, _A_NAME))
        if not _is_below(member.folder):
            wrong.append((f"{key}.folder", member.folder, _A_FOLDER))
        elif not (folder / member.folder / FILE_NAME).resolve().is_relative_to(folder.resolve()):
            wrong.append((f"{key}.folder", member.folder, _NO_LINK))
    return wrong


def _is_below(folder: str) -> bool:
    steps = Path(folder).parts
    return bool(steps) and folder.isprintable() and ".." not in steps and steps[0] != "/"


def _wrong_console(console: Entrance) -> list[tuple[str, Any, str]]:
    url = console.url
    is_right = not url or (is_http_url(url, is_base=True) and not urlsplit(url).path.strip("/"))
    return [] if is_right else [("console.url", url, _AN_ORIGIN)]


def _require_apart(installation: Installation) -> None:
    members = installation.members
    _find_same(installation, "name", [(each, each.name) for each in members])
    folders = [(each, str(installation.settings_of(each).resolve().parent)) for each in members]
    _find_same(installation, "folder", folders)
    for member in members:
        if _names_several(installation.settings_of(member)):
            raise SettingsError(
                f"{installation.path.name}: {member.folder} has a {FILE_NAME} that names several"
                " publications itself; name the folder of each of them here"
            )


def _names_several(path: Path) -> bool:
    """Tell whether a file is of several publications, as far as it can be read."""
    try:
        return isinstance(read_settings(path).get("publication"), list)
    except SettingsError:
        return False


def _find_same(installation: Installation, what: str, values: Sequence[tuple[Member, str]]) -> None:
    """Raise SettingsError where two publications have what each must have for itself."""
    seen: dict[str, Member] = {}
    for member, value in values:
        if value in seen:
            first = seen[value]
            raise SettingsError(
                f"{installation.path.name}: the publications {first.name} ({first.folder}) and"
                f" {member.name} ({member.folder}) have the same {what}, {value}; each needs one of"
                " its own"
            )
        seen[value] = member


def _require_known(installation: Installation, environment: Mapping[str, str]) -> None:
    own = tuple(_prefix(member.name) for member in installation.members)
    for variable in sorted(environment):
        if variable.startswith(f"{PREFIX}_") and not variable.startswith(own):
            raise SettingsError(
                f"{variable}: there is no such publication; variables begin with one of"
                f" {', '.join(own)}"
            )


def _prefix(name: str) -> str:
    """What the environment's variables of one of several publications begin with."""
    return f"{PREFIX}_{name.upper().replace('-', '_')}__"


def find_place(path: Path, environment: Mapping[str, str] = os.environ) -> Place | None:
    """Where the publication with settings in `path` is among several; None where it is alone.

    The installation's file is looked for in the folders above. Raises SettingsError.
    """
    folder = path.resolve().parent
    for above in folder.parents:
        file = above / FILE_NAME
        if not _is_trusted(file, path) or not _names_several(file):
            continue
        if found := load_installation(file, environment):
            for member in found.members:
                if found.settings_of(member).resolve().parent == folder:
                    return found.place_of(member)
    return None


def find_settings(
    installation: Installation, member: Member, environment: Mapping[str, str] = os.environ
) -> Path:
    """The file of a publication's settings, from which its place here is found.

    Raises SettingsError where it is not: then nothing would lead to its console.
    """
    path = installation.settings_of(member)
    if path.exists() and find_place(path, environment) != installation.place_of(member):
        raise SettingsError(
            f"{path} does not find that it is {member.name} of {installation.path}: that file has"
            f" to be called {FILE_NAME}, be the nearest above that names this folder, and belong to"
            " you, to root, or to the owner of the publication's own"
        )
    return path


def _is_trusted(file: Path, path: Path) -> bool:
    """Tell whether a file is there that whoever has the publication has written, or the system."""
    try:
        owner = file.stat().st_uid
        return owner in (0, os.getuid(), path.stat().st_uid)
    except OSError:
        return False


def load_publication(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings of a publication, wherever it is among several.

    What the environment says for all of them is laid over the file, and what it says for this one
    over that. Raises SettingsError.
    """
    place = find_place(path, environment)
    return load_settings(path, environment, place, _prefix(place.name) if place else "")


def require_apart(installation: Installation, loaded: Mapping[str, Settings]) -> None:
    """Raise SettingsError where two publications have an id, a port or a database in common.

    `loaded` are the settings of those that could be read.
    """
    known = [(each, loaded[each.name]) for each in installation.members if each.name in loaded]
    _find_same(installation, "publication.id", [(each, s.publication.id) for each, s in known])
    ports = [(each, str(s.web.port)) for each, s in known if s.web.port]
    _find_same(installation, "web.port", ports)
    for member, settings in known:
        if settings.web.port == installation.console.port:
            raise SettingsError(
                f"{installation.path.name}: the publication {member.name} ({member.folder}) has the"
                f" console's port, {settings.web.port}, as its web.port; each needs one of its own"
            )
    # Who delivers from a database does so alone (runtime/lock.py): the other one would never send.
    files = [
        (each, str((installation.settings_of(each).resolve().parent / file).resolve()))
        for each, s in known
        if (file := s.database.url.removeprefix(_SQLITE)) != s.database.url
    ]
    _find_same(installation, "database", files)


def _list(members: Sequence[Member]) -> str:
    return f"there are {', '.join(each.name for each in members)}"
