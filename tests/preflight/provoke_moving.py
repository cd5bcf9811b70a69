"""Provocations of the rules about what other systems exported."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from publisher.intake.moving.issue import Maker
from publisher.intake.moving.junk import MAILCHIMP
from publisher.intake.moving.post import Post
from publisher.intake.moving.substack import read_substack
from publisher.model.problem import Problem
from publisher.site.exports import ZipExport
from tests.intake.moving.samples import SUBSTACK_COLUMNS, substack_row, table, zipped
from tests.preflight.provocation import Provocation

NOW = datetime(2025, 12, 15, tzinfo=UTC)
MAKER = Maker(
    habits=MAILCHIMP,
    zone=ZoneInfo("Europe/Berlin"),
    now=NOW,
    paths=frozenset({"boat.png"}),
    mint=lambda: "x",
)


def _post(html: str = "<p>Text.</p>", date: datetime | None = NOW, **values: str) -> list[Problem]:
    post = Post(file="export.zip", title="Title", html=html, date=date, **values)  # type: ignore[arg-type]
    return list(MAKER.make(post, "title", None).problems)


def _export(row: str, text: bytes = b"<p>Text.</p>") -> list[Problem]:
    data = table(SUBSTACK_COLUMNS, substack_row("1.a", "2024-05-01T08:00:00Z", "A")) + row
    files: dict[str, str | bytes] = {"posts.csv": data, "posts/1.a.html": text}
    exported = read_substack(ZipExport("e.zip", zipped(files)))
    return [problem for post in exported.posts for problem in post.problems]


MOVING_PROVOCATIONS: Mapping[str, Provocation] = {
    "import-damaged": Provocation(lambda: _export("2.b,2024"), lambda: _export("")),
    "import-encoding": Provocation(
        lambda: _export("", b"<p>Caf\xe9</p>"), lambda: _export("", "<p>Café</p>".encode())
    ),
    "import-dropped": Provocation(
        lambda: _post('<p>Hi *|FNAME|*</p><img src="https://x.example/p.gif" width="1">'),
        lambda: _post('<p>Hi * | * you</p><img src="https://x.example/p.gif" width="100">'),
    ),
    "import-changed": Provocation(
        lambda: _post('<iframe src="https://v.example/1"></iframe>'),
        lambda: _post('<a href="https://v.example/1">A film</a>'),
    ),
    "import-simplified": Provocation(
        lambda: _post("<p>1<b><i>:</i></b>2</p>"),
        lambda: _post("<p>1 <b><i>:</i></b> 2</p>"),
    ),
    "import-image-missing": Provocation(
        lambda: _post('<img src="other.png">'), lambda: _post('<img src="boat.png">')
    ),
    "import-restricted": Provocation(lambda: _post(restricted="paying readers"), _post),
    "import-date-unreadable": Provocation(lambda: _post(date=None, written_date="June"), _post),
    "import-date-local": Provocation(
        lambda: _post(date=datetime(2024, 1, 2), written_date="2024-01-02"), _post
    ),
    "import-text-missing": Provocation(lambda: _post("<p> </p>"), _post),
}
