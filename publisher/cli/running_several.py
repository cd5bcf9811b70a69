"""run, serve and run --once for several publications: each apart, with one console for all."""

import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec

from publisher.cli.output import open_publication, print_json, say, show
from publisher.cli.running import list_roles
from publisher.cli.send import DONE, stopping
from publisher.cli.several import find_gravest, require_installation
from publisher.cli.store import open_store
from publisher.errors import PublisherError, SettingsError
from publisher.runtime.inviting import welcome_first_owner
from publisher.runtime.log import Line, LogFormat, describe_defect, tell_as
from publisher.runtime.supervisor import Role, child_command, stop_with_parent, supervise
from publisher.runtime.webhooks import follow_webhooks
from publisher.settings import Settings
from publisher.settings_installation import (
    Installation,
    Member,
    find_settings,
    load_publication,
    require_apart,
)
from publisher.settings_values import address_of_console
from publisher.store.database import Database

# One whose settings are wrong or whose database is locked is tried again after this, in seconds.
_AGAIN = 10.0
# What is said at the start waits so long for the slowest of them.
_PATIENCE = 10.0
_LOOK_SECONDS = 0.1

Tell = Callable[[str], None]


class Begun(msgspec.Struct, frozen=True):
    """What is said of a publication when it begins: where it is, or what is wrong with it."""

    publication: str
    url: str | None = None
    welcome: str | None = None
    error: str | None = None


def run(path: Path, form: LogFormat, json: bool, *, is_served_only: bool = False) -> int:
    """Run the processes of each publication, and one console, until stopped.

    What is wrong with one is told, and tried again; the others go on.
    """
    installation, tell = require_installation(path), tell_as("run", form)
    _require_apart(installation)
    config = path.absolute()
    roles = [Role("console", child_command("console", config, form))]
    begun: dict[str, Begun] = {}
    with stopping() as stop:
        starts = [
            Thread(
                target=_start,
                args=(installation, each, roles, begun, stop, tell, form, is_served_only),
                daemon=True,
            )
            for each in installation.members
        ]
        for thread in starts:
            thread.start()
        _wait(installation, begun, stop)
        _announce(installation, begun, json)
        return supervise(roles, stop, tell)


def _require_apart(installation: Installation) -> None:
    """Raise SettingsError where two have in common what each must have for itself.

    Those that cannot be read are left out: what is wrong with them is told when it is their turn.
    """
    loaded = {}
    for member in installation.members:
        with suppress(SettingsError):
            loaded[member.name] = load_publication(installation.settings_of(member))
    require_apart(installation, loaded)


def _start(
    installation: Installation,
    member: Member,
    roles: list[Role],
    begun: dict[str, Begun],
    stop: Event,
    tell: Tell,
    form: LogFormat,
    is_served_only: bool,
) -> None:
    """Make a publication ready and let its processes begin, however often that is to be tried."""
    said = ""
    config = installation.settings_of(member).absolute()
    while not stop.is_set():
        found = _try_to_prepare(installation, member, tell, is_served_only)
        if isinstance(found, str):
            if found != said:
                begun.setdefault(member.name, Begun(member.name, error=found))
                tell(Line(f"{member.name}: {found}", "not-started", "error"))
            said = found
            stop.wait(_AGAIN)
            continue
        names, ready = found
        roles += [
            Role(
                f"{member.name} {role}",
                child_command(role, config, form, member.name),
                is_vital=False,
            )
            for role in names
        ]
        begun[member.name] = ready
        if said:
            tell(f"{member.name}: it runs now")
        return


def _try_to_prepare(
    installation: Installation, member: Member, tell: Tell, is_served_only: bool
) -> tuple[Sequence[str], Begun] | str:
    """What `_prepare` gives, or what is wrong."""
    try:
        return _prepare(installation, member, tell, is_served_only)
    except (PublisherError, OSError) as error:
        return str(error)
    except Exception as error:  # a defect, which is this publication's alone
        return describe_defect(error)


def _prepare(
    installation: Installation, member: Member, tell: Tell, is_served_only: bool
) -> tuple[Sequence[str], Begun]:
    """Have the database as the processes need it; give their roles and what is said.

    One that could not be read at the start was not compared with the others then.
    """
    _require_apart(installation)
    with _open(installation, member) as (folder, settings, database):
        welcome = welcome_first_owner(database, settings, datetime.now(UTC))
        if not is_served_only:
            follow_webhooks(folder, settings, database)
    url = f"http://{settings.web.host}:{settings.web.port}/"
    begun = Begun(member.name, url, welcome or None)
    if is_served_only:
        return ["web"], begun
    return list_roles(folder, settings, lambda text: tell(f"{member.name}: {text}")), begun


def _wait(installation: Installation, begun: dict[str, Begun], stop: Event) -> None:
    """Wait until something can be said of each publication, for as long as one may take."""
    for _ in range(round(_PATIENCE / _LOOK_SECONDS)):
        if len(begun) == len(installation.members) or stop.wait(_LOOK_SECONDS):
            return


def _announce(installation: Installation, begun: dict[str, Begun], is_json: bool) -> None:
    table = installation.console
    console = f"{address_of_console(table.host, table.port, table.url)}/"
    nothing = "it is not ready yet"
    said = [begun.get(each.name, Begun(each.name, error=nothing)) for each in installation.members]
    if is_json:
        print_json({"console": console, "publications": said})
        return
    show(f"Console: {console}")
    for each in said:
        show(f"{each.publication}: {each.url or each.error}")
        if each.welcome:
            show(f"  There is no operator yet. Become the first owner within a day: {each.welcome}")


def serve_console_of_all(path: Path, form: LogFormat) -> int:
    """Be the one console."""
    from publisher.web.console.publications import Source
    from publisher.web.console.serve import serve_several

    installation = require_installation(path)
    sources = [
        Source(each.name, partial(_open, installation, each)) for each in installation.members
    ]
    with stopping() as stop:
        stop_with_parent(stop)
        serve_several(sources, installation.console, stop, lambda url: None, form=form)
    return DONE


@contextmanager
def _open(installation: Installation, member: Member) -> Iterator[tuple[Path, Settings, Database]]:
    folder, settings = open_publication(find_settings(installation, member))
    with open_store(folder, settings) as database:
        yield folder, settings, database


def run_once(path: Path, json: bool) -> int:
    """Do what is due in each, side by side: a long mailing of one keeps no other waiting."""
    installation = require_installation(path)
    _require_apart(installation)
    with stopping() as stop:
        works = [_Once(installation, each, json) for each in installation.members]
        while any(each.process.poll() is None for each in works):
            if stop.wait(_LOOK_SECONDS):
                for each in works:
                    each.process.send_signal(signal.SIGTERM)
                break
        ended = [each.end() for each in works]
    documents = []
    for work, (status, text) in zip(works, ended, strict=True):
        if json:
            found: Any = msgspec.json.decode(text) if text else {"error": work.last_said}
            documents.append({"publication": work.name, "status": status} | found)
        elif text:
            show(f"{work.name}:\n{text.decode().rstrip()}")
    if json:
        print_json({"publications": documents})
    return find_gravest([status for status, _ in ended])


class _Once:
    """One publication's `run --once`, as a process; what it says is told with its name."""

    def __init__(self, installation: Installation, member: Member, json: bool) -> None:
        self.name = member.name
        self.last_said = ""
        role = "once-json" if json else "once"
        config = installation.settings_of(member).absolute()
        self.process = subprocess.Popen(  # noqa: S603 - our own
            child_command(role, config, "text", member.name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._out = b""
        self._threads = [Thread(target=each) for each in (self._hear, self._read)]
        for thread in self._threads:
            thread.start()

    def end(self) -> tuple[int, bytes]:
        """Wait for the end; give the exit status and what was printed."""
        for thread in self._threads:
            thread.join()
        return self.process.wait(), self._out

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101
        self._out = self.process.stdout.read()

    def _hear(self) -> None:
        assert self.process.stderr is not None  # noqa: S101
        for line in self.process.stderr:
            self.last_said = line.decode("utf-8", "replace").rstrip()
            say(f"{self.name}: {self.last_said}")
