"""Sending to a sink: the whole pipeline beside what Postfix's own generator does in the same run.

The sink is Postfix's `smtp-sink`, which takes everything and keeps nothing. All contenders send
messages of the same size over as many connections, in turn, several times, every second round the
other way round. `smtp-source -d` sends one fixed text; the loops of smtplib and aiosmtplib send one
ready message, to one recipient after the other; ours makes a message of each reader's own and has
every intent and every outcome on disk.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.measure import PUBLISHER, Row, Tables, run
from tests.benchmarks.sending import (
    CONNECTIONS,
    KEY,
    configure,
    find_postfix,
    import_readers,
    read_ledger,
    sinking,
    write_issue,
    write_key,
    write_readers,
)
from tests.benchmarks.sizes import Sizes

# What a send takes that is not sending: a run of so few readers, whose CPU is taken off.
_FEW = 100
_MESSAGE = "message.eml"


def measure_delivery(folder: Path, sizes: Sizes) -> Tables:
    """Messages a second after start-up and CPU a message, unsigned and signed, beside others."""
    count = sizes.messages
    for name in ("plain", "signed"):
        _write(folder / name, count, is_signed=name == "signed")
    size = _make_message(folder)
    contenders: dict[str, Callable[[int], Row]] = {
        "smtp-source -d": lambda port: _smtp_source(folder, count, size, port),
        "publisher": lambda port: _publisher(folder / "plain", count, port),
        "publisher, RSA-2048": lambda port: _publisher(folder / "signed", count, port),
        "smtplib, 16 threads": lambda port: _loop(folder, "smtplib", count, port),
        "aiosmtplib, 16 tasks": lambda port: _loop(folder, "aiosmtplib", count, port),
    }
    found: dict[str, Row] = {name: {} for name in contenders}
    for place in range(sizes.rounds):
        for name in sorted(contenders, key=list(contenders).index, reverse=bool(place % 2)):
            with sinking() as port:
                for quantity, values in contenders[name](port).items():
                    found[name].setdefault(quantity, []).extend(values)
    return {"sending": found, "message": {"each": {"bytes": [size]}}}


def _row(rate: float, cpu: float) -> Row:
    """`cpu` are seconds a message, of the user and of the system together."""
    return {"rate": [round(rate)], "each": [round(cpu * 1e6, 1)]}


def _smtp_source(folder: Path, count: int, size: int, port: int) -> Row:
    counts = ["-s", str(CONNECTIONS), "-m", str(count), "-l", str(size)]
    addresses = ["-f", "daily@bench.example", "-t", "reader@reader.example"]
    command = [find_postfix("smtp-source"), "-d", *counts, *addresses, f"127.0.0.1:{port}"]
    usage = run(command, folder)
    return _row(count / usage.wall, usage.cpu / count)


def _loop(folder: Path, library: str, count: int, port: int) -> Row:
    """The rate without start-up, as the loop itself measures it; all of its CPU."""
    words = [library, str(port), str(folder / _MESSAGE), str(count), str(CONNECTIONS)]
    result = folder / "rate"
    usage = run([sys.executable, "-m", "tests.benchmarks.loops", *words, str(result)], folder)
    return _row(float(result.read_text()), usage.cpu / count)


def _write(folder: Path, count: int, *, is_signed: bool) -> None:
    folder.mkdir()
    if is_signed:
        write_key(folder)
    write_readers(folder, count)
    configure(folder, 1)
    import_readers(folder)


def _make_message(folder: Path) -> int:
    """Let those who send a ready message have one as ours are; give its size in bytes."""
    with sinking() as port:
        few = _send_few(folder / "plain", port)[0]
    code = (
        "import sys; from tests.benchmarks.loops import make_message; make_message(*sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, str(few), "few"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    (folder / _MESSAGE).write_bytes(done.stdout)
    return len(done.stdout)


def _publisher(folder: Path, count: int, port: int) -> Row:
    """One issue to all readers, and one to a few, whose CPU is taken off."""
    _, base = _send_few(folder, port)
    configure(folder, port)
    name = f"n{sum(1 for _ in folder.glob('issues/n*.md')) + 1}"
    write_issue(folder, name)
    run([PUBLISHER, "build"], folder)
    usage = run([PUBLISHER, "send", name, "--yes"], folder)
    return _row(read_ledger(folder, name, count).rate, (usage.cpu - base) / (count - _FEW))


def _send_few(folder: Path, port: int) -> tuple[Path, float]:
    """Send to a few readers in a publication beside this one; give that, and the CPU it took."""
    few = folder.with_name(f"{folder.name}-few")
    shutil.rmtree(few, ignore_errors=True)
    few.mkdir()
    if (folder / KEY).exists():
        shutil.copy(folder / KEY, few / KEY)
    write_readers(few, _FEW)
    configure(few, port)
    import_readers(few)
    write_issue(few, "few")
    run([PUBLISHER, "build"], few)
    return few, run([PUBLISHER, "send", "few", "--yes"], few).cpu
