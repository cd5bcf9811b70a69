"""What a measurement depends on besides the program: the machine, and the versions of things."""

import os
import platform
import re
import shutil
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

_SYNCS = 100
_BLOCK = bytes(4096)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as its figures know it: no name, no path."""

    system: str
    processor: str
    cores: int
    memory_gb: float
    versions: dict[str, str]


def describe(others: Path) -> Machine:
    """This machine; `others` is where the programs to compare with are installed."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        system=f"{platform.system()} {platform.release()}, {platform.machine()}",
        processor=_find_processor(),
        cores=os.cpu_count() or 1,
        memory_gb=round(memory / 1e9, 1),
        versions=_find_versions(others),
    )


def _find_processor() -> str:
    try:
        match = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:  # only Linux has it
        match = None
    return match[1] if match else platform.processor() or platform.machine()


def _find_versions(others: Path) -> dict[str, str]:
    found = {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
        "Postfix": _ask(["postconf", "-dh", "mail_version"], r"\d\S*"),
        "nginx": _ask(["nginx", "-v"], r"(?<=nginx/)\S+"),
        "Hugo": _ask([str(others / "bin" / "hugo"), "version"], r"(?<=hugo v)[\d.]+"),
        "Pelican": _ask([str(others / "bin" / "pelican"), "--version"], r"\d\S*"),
    }
    return {name: version for name, version in found.items() if version}


def _ask(command: Sequence[str], pattern: str) -> str:
    """A program's version, or nothing where it is not here."""
    program = shutil.which(command[0]) or shutil.which(command[0], path="/usr/sbin")
    if program is None:
        return ""
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    match = re.search(pattern, done.stdout + done.stderr)
    return match[0] if match else ""


def time_syncs(folder: Path) -> list[float]:
    """Milliseconds until 4 KB more of a file are on the disk, so many times."""
    path = folder / ".syncs"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            begin = time.perf_counter()
            file.write(_BLOCK)
            os.fsync(file.fileno())
            times.append(round((time.perf_counter() - begin) * 1_000, 3))
    path.unlink()
    return times
