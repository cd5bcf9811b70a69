"""A publication that has sent an issue, and what may come back of it."""

from typing import Any

from sqlalchemy import select, update

from publisher.store import schema as s
from tests.cli.command_line import Outcome
from tests.delivery.post import Post
from tests.inbound.samples import Sample

ADA = "ada@reader.example"
BEN = "ben@leser.example"


class Returned:
    """Sends an issue to `readers` for real; then `bounces` reads what its relay got back."""

    def __init__(self, post: Post, *readers: str, is_verp: bool = False) -> None:
        self.post = post
        if is_verp:
            path = post.folder / "publisher.toml"
            path.write_text(path.read_text().replace("[email]", "[email]\nverp = true", 1))
        post.subscribe(readers or (ADA, BEN))
        assert post.send().status == 0
        self.sent = {each.recipients[0]: each for each in post.server.messages}

    def header(self, reader: str = ADA) -> str:
        return self.sent[reader].data.partition(b"\r\n\r\n")[0].decode()

    def path(self, reader: str = ADA) -> str:
        """The envelope sender, to which bounces go."""
        return self.sent[reader].sender

    def token(self, reader: str = ADA) -> str:
        return self.header(reader).partition("?subject=unsubscribe%20")[2].partition(">")[0]

    def make(self, sample: Sample, reader: str = ADA, **changes: Any) -> bytes:
        return sample(self.path(reader), reader, self.header(reader), **changes)

    def read(self, *messages: bytes) -> list[Outcome]:
        return [self.post.cli("bounces", "-", "--json", stdin=each) for each in messages]

    def results(self, *messages: bytes) -> list[str]:
        """What came of each message, in one word, after the command's own count of it."""
        return [_result(done) for done in self.read(*messages)]

    def readers(self) -> dict[str, tuple[str, bool]]:
        """Each reader's status, and whether they are suppressed."""
        listed = self.post.cli("subscribers", "list", "--json").json["subscribers"]
        return {each["email"]: (each["status"], each["suppressed"]) for each in listed}

    def events(self) -> list[tuple[str, str | None]]:
        """The ledger's lines of what came back: the event, and what was said."""
        ours = ("bounced", "soft_bounced", "complained", "left")
        lines = select(s.ledger.c.event, s.ledger.c.reply).where(s.ledger.c.event.in_(ours))
        return [(row.event, row.reply) for row in self._read(lines.order_by(s.ledger.c.id))]

    def soft(self, reader: str = ADA) -> int:
        counted = select(s.subscriber.c.soft_bounces).where(s.subscriber.c.email == reader)
        return int(self._read(counted)[0][0])

    def doubt(self, *readers: str) -> None:
        """Let it be as if nobody had heard the relay's replies for these readers."""
        database = self.post.open()
        theirs = select(s.subscriber.c.id).where(s.subscriber.c.email.in_(readers))
        with database.write() as connection:
            doubted = update(s.delivery).where(s.delivery.c.subscriber.in_(theirs))
            connection.execute(doubted.values(status="in_doubt", doubts=1))
        database.close()

    def reasons(self) -> list[str]:
        return [row.reason for row in self._read(select(s.suppression.c.reason))]

    def consents(self, reader: str = ADA) -> list[tuple[str, str]]:
        c, r = s.consent.c, s.subscriber.c
        lines = select(c.action, c.source).join(s.subscriber, r.id == c.subscriber)
        rows = self._read(lines.where(r.email == reader).order_by(c.id))
        return [(row.action, row.source) for row in rows]

    def is_untouched(self) -> bool:
        """Tell whether nothing at all came of what was read."""
        fresh = all(each == ("confirmed", False) for each in self.readers().values())
        return fresh and not self.events() and not self.reasons()

    def _read(self, statement: Any) -> Any:
        database = self.post.open()
        try:
            with database.read() as connection:
                return connection.execute(statement).all()
        finally:
            database.close()


def _result(done: Outcome) -> str:
    assert done.status == 0, done
    counts = {**done.json, "rejected": len(done.json["rejected"])}
    assert counts.pop("messages") == 1
    (result,) = [str(name) for name, number in counts.items() if number]
    return result
