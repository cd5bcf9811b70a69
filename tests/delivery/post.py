"""A publication with readers and a relay: everything that sending takes, for real."""

import json
import os
import secrets
import socket
import subprocess
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from publisher.audience.address import parse_address
from publisher.audience.subscribing import subscribe
from publisher.runtime.start import make_ref
from publisher.settings import load_settings
from publisher.store.batches import has_batches
from publisher.store.database import Database, open_database
from publisher.store.keys import require_key
from tests.cli.command_line import SETTINGS, CommandLine, Outcome, Process
from tests.smtp.scripted import ScriptedServer

NAME = "2025-12-15"


class Post:
    """The publication of a CommandLine, with a relay that does what its rules say."""

    def __init__(self, cli: CommandLine, server: ScriptedServer) -> None:
        self.cli = cli
        self.server = server
        self.process = Process(cli.folder)
        self.configure()
        cli.issue(NAME)

    @property
    def folder(self) -> Path:
        return self.cli.folder

    def configure(self, extra: str = "", **delivery: object) -> None:
        """Write the settings; `delivery` are keys of that table."""
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in delivery.items())
        relay = f'[smtp]\nhost = "127.0.0.1"\nport = {self.server.port}\nsecurity = "none"\n'
        text = f"{SETTINGS}\n{relay}\n[delivery]\n{lines}\n{extra}"
        self.cli.write("publisher.toml", text)

    def open(self) -> Database:
        settings = load_settings(self.folder / "publisher.toml", os.environ)
        return open_database(settings.database.url, self.folder, settings.publication.id)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds in the database."""
        database = self.open()
        with database.read() as connection:
            rows = [tuple(row) for row in connection.exec_driver_sql(sql)]
        database.close()
        return rows

    def subscribe(self, readers: int | Iterable[str]) -> list[str]:
        """Subscribe so many readers, or these."""
        if isinstance(readers, int):
            readers = [f"reader{number}@d{number % 7}.example" for number in range(readers)]
        addresses = list(readers)
        database = self.open()
        with database.write() as connection:
            secret = require_key(connection, "address-key", secrets.token_bytes)
            for address in addresses:
                subscribe(
                    connection,
                    database.publication,
                    parse_address(address),
                    "",
                    secret=secret,
                    ref=make_ref(),
                    at=datetime.now(UTC),
                    source="operator",
                    action="vouched",
                )
        database.close()
        return addresses

    def free_port(self) -> int:
        """A port of loopback that nobody listens on."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def send(self, *words: str) -> Outcome:
        return self.cli("send", NAME, "--yes", "--json", *words)

    def status(self) -> Any:
        return self.cli("status", NAME, "--json").json

    def counts(self) -> dict[str, int]:
        """The counts that are not 0."""
        return {status: n for status, n in self.status()["counts"].items() if n}

    def deliveries(self, *words: str) -> dict[str, Any]:
        listed = self.cli("deliveries", NAME, "--json", *words).json["deliveries"]
        return {each["email"]: each for each in listed}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command in a process of its own."""
        return subprocess.Popen(
            self.process.command(*words),
            cwd=self.folder,
            env=self.process.environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )

    def make_due(self, *, first_attempt_at: str = "first_attempt_at") -> None:
        """Let the time of all that was deferred have come."""
        database = self.open()
        with database.write() as connection:
            connection.exec_driver_sql(
                f"UPDATE delivery SET next_attempt_at = 1, first_attempt_at = {first_attempt_at}"
                " WHERE status = 'deferred'"
            )
            if has_batches(connection):
                connection.exec_driver_sql("UPDATE batch SET due_at = 0 WHERE due_at IS NOT NULL")
                connection.exec_driver_sql("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        database.close()

    def arrived(self) -> Counter[str]:
        """How often each recipient's message was accepted."""
        return Counter(each.recipients[0] for each in self.server.messages)

    def messages(self) -> list[EmailMessage]:
        parser: BytesParser[EmailMessage] = BytesParser(policy=default)
        return [parser.parsebytes(each.data) for each in self.server.messages]
