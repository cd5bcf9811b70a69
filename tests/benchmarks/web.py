"""The public site: a feed by `publisher serve` and by nginx, alone and while a mailing is sent.

Both serve the same files; nginx has them compressed beforehand (`gzip_static`) and knows no brotli
as Debian has it. Everything runs on this machine: the client, the servers, the sending and the sink
share its cores.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

from tests.benchmarks.archive import write_archive
from tests.benchmarks.measure import PUBLISHER, Row, Tables, run, say
from tests.benchmarks.sending import (
    configure,
    free_port,
    import_readers,
    sinking,
    wait_until_it_listens,
    write_issue,
    write_readers,
)
from tests.benchmarks.sizes import Sizes

ISSUES = 30
READERS = 300_000
CONNECTIONS = 16
SECONDS = 5
# A feed with 300,000 subscribers whose readers ask twice an hour.
RATE = 170
FEED = "feed.atom"
_NAME = "2025-12-15"
_PATIENCE = 60
_BEST = {"br": "br11", "gzip": "gzip9"}
_NGINX = """\
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; gzip_static on; sendfile on; keepalive_requests 1000000;
  types {{ application/atom+xml atom; }}
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} reuseport; root {folder}/public; }}
}}
"""


class Case(NamedTuple):
    """A request, by its name in the results."""

    name: str
    status: int
    headers: tuple[str, ...]


def measure_web(folder: Path, _: Sizes) -> Tables:
    """Answers a second and waits for a feed: whole, compressed, and where nothing is new."""
    site = folder / "site"
    write_archive(site, ISSUES)
    write_readers(site, READERS)
    configure(site, 1)
    import_readers(site)
    write_issue(site, _NAME)
    run([PUBLISHER, "build"], site)
    with _serving(site) as port:
        _wait_until_it_is_ready(port)
        return {
            "publisher": _measure(port, ("br", "gzip")),
            "publisher, steady": _measure(port, ("br",), RATE),
            "nginx": _measure_nginx(folder, site / "public"),
            **_measure_sending(site, port),
        }


def _measure(port: int, codings: tuple[str, ...], rate: float = 0) -> dict[str, Row]:
    tag = _read_tag(port, "")
    cases = [
        Case("200", 200, ()),
        *(Case(f"200 {coding}", 200, (f"Accept-Encoding: {coding}",)) for coding in codings),
        Case("304", 304, (f"If-None-Match: {tag}",)),
    ]
    rows: dict[str, Row] = {}
    for case in cases:
        words = [port, f"/{FEED}", case.status, CONNECTIONS, rate, SECONDS, *case.headers]
        command = [sys.executable, "-m", "tests.benchmarks.load", *map(str, words)]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        rows[case.name] = {
            "answers": [found["rate"]],
            **{name: [found[name]] for name in ("p50", "p99", "most", "bytes")},
        }
    return rows


@contextmanager
def _serving(site: Path) -> Iterator[int]:
    """`publisher serve` in a process of its own."""
    port = free_port()
    ports = {"PUBLISHER_WEB__PORT": str(port), "PUBLISHER_CONSOLE__PORT": str(free_port())}
    environment = os.environ | ports
    process = subprocess.Popen(
        [PUBLISHER, "serve"], cwd=site, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_until_it_listens(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_is_ready(port: int) -> None:
    """Feeds are encoded as well as can be a few seconds after the start."""
    deadline = time.monotonic() + _PATIENCE
    while not all(_read_tag(port, coding).endswith(f'-{best}"') for coding, best in _BEST.items()):
        if time.monotonic() > deadline:
            raise SystemExit("the feeds are not encoded")
        time.sleep(0.2)


def _read_tag(port: int, coding: str) -> str:
    request = Request(f"http://127.0.0.1:{port}/{FEED}", headers={"Accept-Encoding": coding})
    with urlopen(request, timeout=_PATIENCE) as answer:
        return str(answer.headers["ETag"])


# nginx


def _measure_nginx(folder: Path, public: Path) -> dict[str, Row]:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        say("nginx is not here, so nothing is compared (Debian: apt-get install nginx-light)")
        return {}
    beside = folder / "nginx"
    shutil.copytree(public, beside / "public")
    (beside / "public" / FEED).chmod(0o644)
    subprocess.run(["gzip", "-9", "-k", FEED], cwd=beside / "public", check=True)
    port = free_port()
    settings = beside / "nginx.conf"
    settings.write_text(_NGINX.format(folder=beside, port=port))
    process = subprocess.Popen(
        [nginx, "-p", beside, "-c", settings, "-g", f"user {_owner()};"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_it_listens(port)
        return _measure(port, ("gzip",))
    finally:
        process.terminate()
        process.wait()


def _owner() -> str:
    """Its workers are to read what we wrote."""
    return "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody")


# While sending


def _measure_sending(site: Path, port: int) -> Tables:
    """The same at a steady rate, and as fast as can be, while 300,000 messages go out."""
    with sinking() as sink_port:
        configure(site, sink_port)
        process = subprocess.Popen(
            [PUBLISHER, "send", _NAME, "--yes"],
            cwd=site,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            before = _wait_until_it_sends(site, process)
            tables: Tables = {
                "while sending, steady": _measure(port, ("br",), RATE),
                "while sending": _measure(port, ("br",)),
            }
            if process.poll() is not None:
                raise SystemExit("the sending ended before all was measured")
            sent, seconds = _count_sent(site) - before.sent, time.monotonic() - before.at
            tables["sent"] = {"meanwhile": {"rate": [round(sent / seconds)]}}
        finally:
            process.terminate()
            process.wait()
    return tables


class _Sent(NamedTuple):
    sent: int
    at: float


def _wait_until_it_sends(site: Path, process: "subprocess.Popen[bytes]") -> _Sent:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if sent := _count_sent(site):
            return _Sent(sent, time.monotonic())
        time.sleep(0.1)
    raise SystemExit("nothing is sent")


def _count_sent(site: Path) -> int:
    database = sqlite3.connect(site / "publisher.db")
    found = database.execute("SELECT count(*) FROM ledger WHERE event = 'accepted'").fetchone()
    database.close()
    return int(found[0])
