"""Several mail servers on loopback, and a publication that sends over them."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update

from publisher.store.schema_relays import relay_day
from tests.cli.command_line import SETTINGS
from tests.delivery.post import Post
from tests.smtp.scripted import CLOSE, Rule, ScriptedServer


class Relays:
    """A Post with more than one relay, each by its name."""

    def __init__(self, post: Post, servers: Mapping[str, ScriptedServer]) -> None:
        self.post = post
        self.servers = dict(servers)

    def configure(self, relays: Mapping[str, dict[str, Any]], **delivery: object) -> None:
        """Write the settings; `relays` are further keys of each table."""
        tables = "".join(self._table(name, keys) for name, keys in relays.items())
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in delivery.items())
        self.post.cli.write("publisher.toml", f"{SETTINGS}\n{tables}\n[delivery]\n{lines}\n")

    def _table(self, name: str, keys: Mapping[str, Any]) -> str:
        place = f'host = "127.0.0.1"\nport = {self.servers[name].port}\nsecurity = "none"\n'
        warm_up = keys.get("warm_up", {})
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items() if key != "warm_up"]
        lines += [f"warm_up.{key} = {value}" for key, value in warm_up.items()]
        return "\n".join(("[[smtp]]", f'name = "{name}"', place, *lines, ""))

    def kill(self, name: str) -> None:
        """Let a relay be as one that has gone: what is open is closed, and what comes too."""
        server = self.servers[name]
        server.rules.insert(0, Rule("connect", CLOSE))
        server.drop_all()

    def mend(self, name: str) -> None:
        self.servers[name].rules.clear()

    def took(self) -> dict[str, int]:
        """How many messages each relay took."""
        return {name: len(server.messages) for name, server in self.servers.items()}

    def arrived(self) -> Counter[str]:
        """How often each recipient's message was accepted, by whichever relay."""
        messages = (each for server in self.servers.values() for each in server.messages)
        return Counter(each.recipients[0] for each in messages)

    def arrived_at(self, name: str) -> set[str]:
        return {each.recipients[0] for each in self.servers[name].messages}

    def let_a_day_pass(self) -> None:
        """As if all that was sent had been sent a day before."""
        database = self.post.open()
        with database.write() as connection:
            days = select(relay_day.c.day).distinct().order_by(relay_day.c.day)
            for day in list(connection.execute(days).scalars()):
                earlier = update(relay_day).where(relay_day.c.day == day)
                connection.execute(
                    earlier.values(day=str(date.fromisoformat(day) - timedelta(days=1)))
                )
        database.close()

    def let_be_due(self) -> None:
        """As if what is deferred had waited for its time."""
        self.post.make_due()
