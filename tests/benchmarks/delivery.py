"""Sending to a sink: the whole pipeline beside what Postfix's own generator does in the same run.

The sink is Postfix's `smtp-sink`, which takes everything and keeps nothing. All contenders send as
many messages of the same size over as many connections, in turn, several times. `smtp-source -d`
sends one fixed text; the loops of smtplib and aiosmtplib send one ready message, to one recipient
after the other; ours makes a message of each reader's own and has every intent and every outcome
on disk.
"""

import json
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.archive import SETTINGS, paragraph
from tests.benchmarks.measure import PUBLISHER, Result, Usage, run, say, spread

READERS = 50_000
CONNECTIONS = 16
ROUNDS = 3
SIZE = 30_000
# What a send takes that is not sending: a run of so few readers, whose CPU is taken off.
FEW = 100
# smtplib is slow enough to be measured by fewer.
LOOP_MESSAGES = 20_000
_NAME = "2025-12-15"
_KEY = "dkim.pem"


def measure_delivery(folder: Path) -> Result:
    """Messages a second and CPU a message, unsigned and signed, beside three others."""
    sink, source = shutil.which("smtp-sink"), shutil.which("smtp-source")
    if not sink or not source:
        say("Postfix's smtp-sink and smtp-source are needed (Debian: apt-get install postfix)")
        return {}
    contenders: dict[str, Callable[[int], tuple[float, float]]] = {
        "smtp-source": lambda port: _smtp_source(folder, source, port),
        "publisher": lambda port: _publisher(folder / "plain", port),
        "publisher, RSA-2048": lambda port: _publisher(folder / "signed", port),
        "smtplib": lambda port: _loop(folder, "smtplib", port),
        "aiosmtplib": lambda port: _loop(folder, "aiosmtplib", port),
    }
    for name in ("plain", "signed"):
        _write(folder / name, is_signed=name == "signed")
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, measure in contenders.items():
            with sinking(sink) as port:
                found[name].append(measure(port))
    return _report(found)


def _report(found: dict[str, list[tuple[float, float]]]) -> Result:
    result: Result = {}
    base = statistics.median(rate for rate, _ in found["smtp-source"])
    for name, measured in found.items():
        rates = spread([rate for rate, _ in measured])
        cpu = statistics.median(cpu for _, cpu in measured)
        result[name] = {"rate": rates, "cpu_us": round(cpu), "ratio": rates["median"] / base}
        say(
            f"{name}: {rates['median']:,.0f} a second ({rates['least']:,.0f} to"
            f" {rates['most']:,.0f}), {cpu:.0f} µs of CPU a message,"
            f" {rates['median'] / base:.2f} of smtp-source"
        )
    return result


@contextmanager
def sinking(sink: str) -> Iterator[int]:
    """A sink of its own on a free port of loopback."""
    port = free_port()
    command = [sink, "-u", "nobody", f"127.0.0.1:{port}", "1000"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until_it_listens(port)
        yield port
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"nobody listens on port {port}")


def _smtp_source(folder: Path, source: str, port: int) -> tuple[float, float]:
    counts = ["-s", str(CONNECTIONS), "-m", str(READERS), "-l", str(SIZE)]
    addresses = ["-f", "daily@bench.example", "-t", "reader@reader.example"]
    usage = run([source, "-d", *counts, *addresses, f"127.0.0.1:{port}"], folder)
    return READERS / usage.wall, usage.cpu / READERS * 1e6


def _loop(folder: Path, library: str, port: int) -> tuple[float, float]:
    """The rate without start-up, as the loop itself measures it; all of its CPU."""
    message = folder / "message.eml"
    words = [library, str(port), str(message), str(LOOP_MESSAGES), str(CONNECTIONS)]
    result = folder / "rate"
    usage = run([sys.executable, "-m", "tests.benchmarks.loops", *words, str(result)], folder)
    return float(result.read_text()), usage.cpu / LOOP_MESSAGES * 1e6


# Ours


def _write(folder: Path, *, is_signed: bool) -> None:
    """A publication of an issue whose messages have 30 KB, and of one issue for each mailing."""
    (folder / "issues").mkdir(parents=True)
    if is_signed:
        key = folder / _KEY
        subprocess.run(
            ["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True
        )
    write_readers(folder, READERS)
    configure(folder, 1)
    import_readers(folder, "readers.csv")


def write_readers(folder: Path, count: int) -> None:
    readers = "email,name\n" + "".join(
        f"reader{number}@d{number % 500}.example,Reader {number}\n" for number in range(count)
    )
    (folder / "readers.csv").write_text(readers)


def configure(folder: Path, port: int) -> None:
    dkim = (
        f'[dkim]\ndomain = "bench.example"\nselector = "s"\nprivate_key = "{_KEY}"\n'
        if (folder / _KEY).exists()
        else ""
    )
    relay = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
    delivery = f"[delivery]\nconnections = {CONNECTIONS}\n"
    (folder / "publisher.toml").write_text(f"{SETTINGS}\n{relay}\n{delivery}\n{dkim}")


def import_readers(folder: Path, file: str) -> Usage:
    return run([PUBLISHER, "subscribers", "import", file], folder)


def write_issue(folder: Path, name: str) -> None:
    """An issue whose messages are of some 30 KB."""
    import random

    rng = random.Random(name)
    parts = [
        f"---\nid: i{name}\ntitle: No. {name}\nstatus: ready\ndate: 2025-12-15T07:00:00Z\n---\n"
    ]
    for place in range(5):
        parts.append(
            f"## [Highlight {place}](https://source.example/{place}) {{#h{name}-{place}}}\n"
        )
        parts += [paragraph(rng, 360) + "\n" for _ in range(3)]
    (folder / "issues" / f"{name}.md").write_text("\n".join(parts))


def _publisher(folder: Path, port: int) -> tuple[float, float]:
    """One issue to all readers, and one to a few, whose CPU is taken off."""
    configure(folder, port)
    base = _cost_of_few(folder, port)
    number = sum(1 for _ in (folder / "issues").iterdir()) + 1
    name = f"n{number}"
    write_issue(folder, name)
    run([PUBLISHER, "build"], folder)
    usage = run([PUBLISHER, "send", name, "--yes"], folder)
    rate = ledger_rate(folder, name)
    message = folder.parent / "message.eml"
    if not message.exists():
        message.write_bytes(_any_message(folder, name))
    return rate, (usage.cpu - base) / (READERS - FEW) * 1e6


def _cost_of_few(folder: Path, port: int) -> float:
    """The CPU of a send to a few readers, in a publication beside this one."""
    few = folder.with_name(f"{folder.name}-few")
    shutil.rmtree(few, ignore_errors=True)
    (few / "issues").mkdir(parents=True)
    if (folder / _KEY).exists():
        shutil.copy(folder / _KEY, few / _KEY)
    rows = (folder / "readers.csv").read_text().splitlines(keepends=True)[: FEW + 1]
    (few / "readers.csv").write_text("".join(rows))
    configure(few, port)
    import_readers(few, "readers.csv")
    write_issue(few, "few")
    run([PUBLISHER, "build"], few)
    return run([PUBLISHER, "send", "few", "--yes"], few).cpu


def ledger_rate(folder: Path, name: str) -> float:
    """Messages a second between the first and the last outcome: start-up is left out."""
    database = sqlite3.connect(folder / "publisher.db")
    sql = """SELECT count(*), min(at), max(at) FROM ledger JOIN mailing ON mailing.id = mailing
        WHERE event = 'accepted' AND slug = ?"""
    count, first, last = database.execute(sql, (name,)).fetchone()
    database.close()
    if count != sum(1 for _ in (folder / "readers.csv").open()) - 1:
        raise SystemExit(f"only {count} were sent")
    return float(count / ((last - first) / 1000))


def _any_message(folder: Path, name: str) -> bytes:
    """A finished message of this mailing, for those who send a ready one."""
    code = (
        "import sys; from tests.benchmarks.loops import make_message; make_message(*sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), name], stdout=subprocess.PIPE, check=True
    )
    say(f"a message has {len(done.stdout):,} bytes")
    return done.stdout


# Many readers


def measure_readers(folder: Path) -> Result:
    """Import, enqueue and send to 10,000 and to 1,000,000: the time, and the memory of each."""
    sink = shutil.which("smtp-sink")
    return {f"{count}": _measure_readers(folder / str(count), count, sink) for count in SIZES}


SIZES = (10_000, 1_000_000)


def _measure_readers(folder: Path, count: int, sink: str | None) -> Result:
    (folder / "issues").mkdir(parents=True)
    with (folder / "readers.csv").open("w") as file:
        file.write("email,name\n")
        for number in range(count):
            file.write(f"reader{number}@d{number % 5_000}.example,Reader {number}\n")
    configure(folder, 1)
    write_issue(folder, _NAME)
    run([PUBLISHER, "build"], folder)
    usages = {"import": import_readers(folder, "readers.csv")}
    usages["enqueue"] = run(
        [sys.executable, "-m", "tests.benchmarks.enqueue", str(folder), _NAME], folder
    )
    seconds = json.loads((folder / "enqueue.json").read_text())["seconds"]
    result: Result = {"enqueue_alone": round(seconds, 2)}
    say(f"{count:,} readers: enqueued in {seconds:.1f} s")
    if sink:
        with sinking(sink) as port:
            configure(folder, port)
            usages["send"] = run([PUBLISHER, "send", _NAME, "--yes"], folder)
        result["send_rate"] = round(ledger_rate(folder, _NAME))
    for name, usage in usages.items():
        result[name] = {"wall": usage.wall, "cpu": usage.cpu, "peak": usage.largest}
        say(f"{count:,} readers, {name}: {usage.wall:.1f} s, {usage.largest / 1e6:.0f} MB at most")
    return result
