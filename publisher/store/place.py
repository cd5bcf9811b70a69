"""Where an SQLite database is: its file, whether it may be there, and whether it was copied."""

from pathlib import Path

from publisher.store.errors import StoreError

# What SQLite's write-ahead log does not work on: its readers share memory, which a network does
# not (https://www.sqlite.org/wal.html, "Overview").
_NETWORKS = ("nfs", "cifs", "smb", "afs", "ncpfs", "fuse.sshfs", "fuse.glusterfs", "ceph", "9p2000")


def sqlite_path(url: str, folder: Path) -> Path:
    """The file that `sqlite:///FILE` names, relative to the publication's folder.

    Raises StoreError for any other URL, which may have a password in it and is not repeated.
    """
    if not url.startswith("sqlite:///"):
        raise StoreError(
            "publisher.toml: database.url: PostgreSQL does not work yet; use sqlite:///publisher.db"
        )
    return folder / url.removeprefix("sqlite:///")


def require_local(path: Path) -> None:
    """Raise StoreError where the file would be on a network file system."""
    kind = _kind_of_mount(path.resolve().parent)
    if kind.startswith(_NETWORKS):
        raise StoreError(
            f"{path} is on a network file system ({kind}), where SQLite can lose what it wrote;"
            " let database.url name a file on a disk of this machine"
        )


def _kind_of_mount(folder: Path) -> str:
    """The type of file system that a folder is on; empty where that cannot be told."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    kinds = {}
    for line in mounts:
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode().decode("unicode_escape")
        kinds[point] = after.split(" ")[0]
    around = [str(folder), *(str(parent) for parent in folder.parents)]
    return next((kinds[point] for point in around if point in kinds), "")


# What begins the file beside a database; runtime.board has its own place behind that.
MARK_LETTERS = 16


def file_beside(path: Path) -> Path:
    """The file beside a database that is locked by who delivers, and that has the last mark."""
    return path.with_name(f"{path.name}-delivery")


def read_mark(path: Path) -> str:
    """The mark beside a database; empty where there is none."""
    try:
        with file_beside(path).open("rb") as file:
            return file.read(MARK_LETTERS).decode("ascii", "replace")
    except OSError:
        return ""


def name_of_file(path: Path) -> str:
    """What tells a database's file from a copy of it: its inode, which a move keeps."""
    return str(path.stat().st_ino)
