"""A commit for each save, where the publication's folder is a git repository."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from publisher.site.job import CACHE

# A commit takes milliseconds; a hook may look at the whole archive.
_PATIENCE_SECONDS = 20.0
_LEAVE_SECONDS = 2.0
_MOST_CHARACTERS = 300
# Nothing here may ask, page or speak another language; secrets of our own environment stay here.
_KEPT = ("PATH", "HOME", "SSH_AUTH_SOCK", "TMPDIR", "XDG_CONFIG_HOME")
_OWN = {"LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_PAGER": "cat"}


class Author(msgspec.Struct, frozen=True):
    """Whom a commit names."""

    name: str
    email: str


class GitError(Exception):
    """Git did not do it; says why, in git's own words."""


def commit(folder: Path, paths: Sequence[str], author: Author, message: str) -> bool:
    """Commit exactly these files as they are now; False where nothing of them has changed.

    The repository's own hooks run, as for everybody who commits there; nothing is signed, since
    nobody is there to give a passphrase. What else is staged stays so. Raises GitError.
    """
    with _hold(folder):
        known = _run(folder, author, "ls-files", "--", *paths)
        there = [path for path in paths if (folder / path).exists()]
        if there:
            _run(folder, author, "add", "--", *there)
        wanted = [path for path in paths if path in there or path in known.splitlines()]
        if not wanted or not _has_changed(folder, author, wanted):
            return False
        _run(
            folder,
            author,
            *("commit", "--quiet", "--no-gpg-sign", "--only", "--message", message, "--", *wanted),
        )
    return True


@contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """Be the only one who commits: git itself does not wait for another git, but fails."""
    cache = folder / CACHE
    cache.mkdir(exist_ok=True)
    with (cache / "git.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _has_changed(folder: Path, author: Author, paths: Sequence[str]) -> bool:
    return bool(_run(folder, author, "status", "--porcelain", "--", *paths).strip())


def _run(folder: Path, author: Author, *arguments: str) -> str:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | _OWN
    name = _clean(author.name) or author.email
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": _clean(author.email)}
    # Without `quotePath` a name is printed as it is; without the globs it is taken as it is.
    command = ("git", "-c", "core.quotePath=false", "--literal-pathspecs", *arguments)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own words, and paths behind `--`
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror}") from None
    try:
        output, errors = process.communicate(timeout=_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        _end(process)
        raise GitError(f"git took longer than {_PATIENCE_SECONDS:.0f} seconds") from None
    if process.returncode:
        said = " ".join((errors or output).split()) or f"exit status {process.returncode}"
        raise GitError(said[:_MOST_CHARACTERS])
    return output


def _clean(text: str) -> str:
    """What git takes for a name: without what stands around addresses, and in one line."""
    return " ".join(text.replace("<", "").replace(">", "").split())


def _end(process: subprocess.Popen[str]) -> None:
    """End git and its hooks; told to, it takes its locks away."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_LEAVE_SECONDS)
            return
