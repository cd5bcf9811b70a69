"""What the document tells of each part: what is measured, how it is shown, what it depends on.

A new part needs an entry in `SECTIONS` here and one in `PARTS` of tests/benchmarks/__main__.py;
what is asked of it stands in asked.py.
"""

import msgspec

from tests.benchmarks.planning import PLANTS
from tests.benchmarks.stages import OURS_ALONE


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the results: which quantities are columns; what stands at the head of the first.

    Where there is a row `beside`, a column says of how many times its `compared` the others are.
    `heads` are other words for quantities than everywhere else.
    """

    name: str
    first: str
    quantities: tuple[str, ...]
    title: str = ""
    beside: str = ""
    compared: str = ""
    heads: dict[str, str] = {}


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """A plot of one quantity, a bar for each row; `asked` is drawn as a line across."""

    file: str
    title: str
    table: str
    quantity: str
    asked: float = 0
    # Rows that are hatched: not ours, to compare with.
    others: tuple[str, ...] = ()


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """A plot of a quantity over seconds, or what else is `along`, a line for each row."""

    file: str
    title: str
    table: str
    quantity: str
    asked: float = 0
    along: str = "s"


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Of `what`, the names of sizes stand in braces."""

    part: str
    title: str
    what: str
    depends: tuple[str, ...]
    tables: tuple[Table, ...]
    plots: tuple[Bars | Lines, ...] = ()


_PROCESS = ("wall", "cpu", "peak")
_WAITS = ("answers", "p50", "p99", "most")
_SMALL_DEPENDS = (
    "on one core's speed, and on how fast Python imports: the files of some hundred modules are"
    " read from the operating system's memory, which has not got them yet after a machine's start",
    "on what was compiled before, modules and templates: it is kept, and the first run of all makes"
    " it",
)

SECTIONS = (
    Section(
        part="commands",
        title="What a person waits for",
        what="Whole processes, imports and all, in a publication of one issue of 15 KB: each"
        " command is started, does its work and ends. Before each `check` and `build` a paragraph"
        " is added to the issue.",
        depends=_SMALL_DEPENDS,
        tables=(Table(name="commands", first="`publisher …`", quantities=_PROCESS),),
        plots=(
            Bars(
                file="commands",
                title="Seconds until a command is done",
                table="commands",
                quantity="wall",
            ),
        ),
    ),
    Section(
        part="unchanged",
        title="A build where nothing changed",
        what="`publisher build`, again and again, in a publication of one issue that nobody"
        " touches: what a schedule pays for looking.",
        depends=_SMALL_DEPENDS,
        tables=(Table(name="commands", first="`publisher …`", quantities=_PROCESS),),
    ),
    Section(
        part="full",
        title="A full build, beside Pelican and Hugo",
        what="The site of {issues} issues of five highlights of 3 KB, a day apart, with ten tags,"
        " from nothing. Pelican and Hugo get the same content, an article for each highlight, and"
        " themes written for this, with the same parts of a page as ours and nothing else (see"
        " tests/benchmarks/others.py): they make the same pages of issues, highlights, tags and"
        " years, and the same feeds in Atom and RSS. What only we make beyond that is counted in"
        " the second table and is in our time: the message's two bodies, a card for social"
        " networks of each issue, feeds in JSON and of whole issues, RFC 5005's archive documents,"
        " the search's index, and the checks. They take turns, every second round the other way"
        " round.",
        depends=(
            "on cores: we and Hugo use all that there are, Pelican one",
            "on the disk: we have every file on it before any of them is public (`fsync`), they"
            " leave that to the operating system",
            "on nothing that was there before: with a second build only what changed is made, which"
            " `growth` measures",
        ),
        tables=(
            Table(
                name="time",
                first="",
                quantities=_PROCESS,
                beside="pelican",
                compared="wall",
            ),
            Table(
                name="made",
                first="",
                title="What each made:",
                quantities=(
                    *("pages", "feeds", "archives", "bodies", "cards", "others", "megabytes"),
                ),
            ),
        ),
        plots=(
            Bars(
                file="full-build",
                title="Seconds of a full build",
                table="time",
                quantity="wall",
                others=("pelican", "hugo"),
            ),
            Bars(
                file="full-build-cpu",
                title="Seconds of CPU of a full build, all processes together",
                table="time",
                quantity="cpu",
                others=("pelican", "hugo"),
            ),
        ),
    ),
    Section(
        part="stages",
        title="Where the time of a full build goes",
        what="The same full build of {issues} issues in one process, under Python's profiler,"
        " which slows Python down but not C: the shares are rough ones. What neither Pelican nor"
        " Hugo does is hatched.",
        depends=("on the content: longer highlights move it from templates to Markdown and feeds",),
        tables=(
            Table(name="stages", first="stage", quantities=("share", "profiled")),
            Table(name="whose", first="made by", quantities=("share",)),
        ),
        plots=(
            Bars(
                file="stages",
                title="Of 100 parts of a full build's time",
                table="stages",
                quantity="share",
                others=OURS_ALONE,
            ),
        ),
    ),
    Section(
        part="growth",
        title="An archive that grows",
        what="A full build of archives of {archives} issues; then one more issue in each, several"
        " times in turn, with a build after it.",
        depends=(
            "on the newest issues rather than on all: a build after one more makes that issue, its"
            " neighbour, its tags, its year and month, the home page and the feeds anew",
            "on the number of cores, in full builds",
        ),
        tables=(
            Table(name="one more", first="one more issue in", quantities=_PROCESS),
            Table(name="full", first="a full build of", quantities=(*_PROCESS, "together")),
        ),
        plots=(
            Bars(
                file="growth",
                title="Seconds of a build after one more issue in an archive",
                table="one more",
                quantity="wall",
            ),
        ),
    ),
    Section(
        part="delivery",
        title="Sending",
        what="Mailings of {messages} messages of 30 KB over 16 connections into Postfix's"
        " `smtp-sink`, which takes everything and keeps nothing, on the same machine. Ours are"
        " made for each reader (To, name, Message-ID, links signed for them), one command sends"
        " them, every intent is on disk (`synchronous=FULL`) before its body goes out, and every"
        " outcome follows in the next transaction. It is measured from the first outcome in the"
        " ledger to the last."
        " `smtp-source -d`, Postfix's own generator, sends one fixed text of the same size and"
        " keeps no record; the loops send one ready message, with Python's smtplib and with"
        " aiosmtplib. They take turns, each with a sink of its own, every second round the other"
        " way round; the ratio is that of each round. CPU is the sending process's own, user and"
        " system together, less what a mailing to 100 readers takes.",
        depends=(
            "on the cores, which the sender and the sink share: where `smtp-source` is not faster,"
            " the sink is the limit",
            "on how fast the disk syncs: outcomes are written together, as many as there are"
            " connections, and the next deliveries are taken with them, so that none waits for it",
            "on OpenSSL and on the processor where messages are signed: the signature with RSA-2048"
            " is most of the difference",
            "on the size of messages, which both sides of loopback copy",
        ),
        tables=(
            Table(
                name="sending",
                first="",
                quantities=("rate", "each"),
                beside="smtp-source -d",
                compared="rate",
                heads={"rate": "messages a second"},
            ),
        ),
        plots=(
            Bars(
                file="delivery",
                title="Messages a second into the same sink",
                table="sending",
                quantity="rate",
                others=("smtp-source -d", "smtplib, 16 threads", "aiosmtplib, 16 tasks"),
            ),
            Bars(
                file="delivery-cpu",
                title="Microseconds of CPU a message, of the sending process",
                table="sending",
                quantity="each",
                asked=100,
                others=("smtp-source -d", "smtplib, 16 threads", "aiosmtplib, 16 tasks"),
            ),
        ),
    ),
    Section(
        part="million",
        title="Very many readers, on one machine with SQLite",
        what="{readers} readers from the file of their addresses to the last outcome: they are"
        " imported, the mailing's rows are written (one for each, all before anything is sent),"
        " all are sent to as above, unsigned, and the mailing is finished. The same with 10,000"
        " readers shows whether memory grows with their number. Times are those of whole"
        " processes; how many a second is counted without start-up for rows and messages.",
        depends=(
            "on the disk, on which the readers, the rows and the ledger are written",
            "on the sink and on what `delivery` depends on, for the sending",
            "on the number of connections and the size of the message, for memory",
        ),
        tables=(
            Table(name="many", first="{readers} readers", quantities=(*_PROCESS, "rate")),
            Table(name="few", first="10,000 readers", quantities=(*_PROCESS, "rate")),
            Table(name="database", first="the database after it, of", quantities=("megabytes",)),
        ),
        plots=(
            Lines(
                file="million-memory",
                title="Memory of each step while it runs, in MB, over seconds",
                table="memory",
                quantity="memory",
                asked=150,
            ),
        ),
    ),
    Section(
        part="many",
        title="What is asked of a database with very many readers",
        what="{readers} readers, a finished mailing to all who are subscribed, and its ledger, made"
        " by the database itself; then each question that a page, a command or the delivery loop"
        " asks, several times, and one mailing more, whose rows are written in one transaction."
        " SQLite is a file,"
        " PostgreSQL a server of its own on the same machine that makes everything durable.",
        depends=(
            "on the memory that the database and the system have for what is read often",
            "on the disk, for the rows of a mailing",
            "on how many readers there are, where all of them are counted",
        ),
        tables=(
            Table(name="sqlite", first="SQLite", quantities=("wall",)),
            Table(name="postgresql", first="PostgreSQL", quantities=("wall",)),
        ),
    ),
    Section(
        part="most",
        title="What is asked of PostgreSQL with ten times as many readers",
        what="As above, with ten times {readers} readers.",
        depends=("on the memory of the server, of which this one has what it comes with",),
        tables=(Table(name="postgresql", first="PostgreSQL", quantities=("wall",)),),
    ),
    Section(
        part="workers",
        title="Several workers on PostgreSQL",
        what="Mailings of {batched} messages, as above and unsigned, by one `publisher worker` and"
        " by two, each with 16 connections to a sink of its own; then by one with other numbers of"
        " connections. PostgreSQL (`fsync` and `synchronous_commit` on), the workers and the sinks"
        " are on the same machine. All workers begin at the same moment, once the mailing's rows"
        " are written; what starting them takes is not in it. CPU is that of whole processes, of"
        " the server all of them.",
        depends=(
            "on the cores: two workers, the server and two sinks want more than two, and two"
            " workers are then less than twice as quick as one however they are made; CPU a"
            " message tells what they would do with more",
            "on the number of connections: half of what is in flight is in one commit",
            "on how long a commit takes, during which a worker waits",
        ),
        tables=(
            Table(
                name="sending",
                first="16 connections each",
                quantities=("rate", "each", "database", "sink", "step", "log"),
                beside="1 worker",
                compared="rate",
                heads={"rate": "messages a second"},
            ),
            Table(
                name="connections",
                first="1 worker",
                quantities=("rate", "each", "database", "sink", "step", "log"),
                heads={"rate": "messages a second"},
            ),
            Table(
                name="enqueueing",
                first="a mailing's rows",
                title="Before anything is sent, a reader:",
                quantities=("reader", "database", "log"),
            ),
            Table(name="trips", first="", quantities=("trips",)),
            Table(name="batches", first="each of", quantities=("job", "sweep")),
        ),
        plots=(
            Bars(
                file="workers",
                title="Messages a second by workers on PostgreSQL",
                table="sending",
                quantity="rate",
            ),
        ),
    ),
    Section(
        part="model",
        title="The plan past these machines",
        what="A model (tests/benchmarks/model.py) of workers, relays and one server, fitted to what"
        " `workers` measured with 4 and with 16 connections: what a message and what a step, which"
        " is one transaction, take of a worker's CPU and of the server's. It is checked by runs to"
        " which it was not fitted. Assumed, not measured: each worker has a core of its own, the"
        " server 16; a relay takes 50 ms for a message and has no limit of its own; a round trip to"
        " the server is 0.2 ms, a commit 1 ms, and its log takes 200 MB a second. In brackets is"
        " what is in the way. The minutes are those of the rows and of the sending.",
        depends=(
            "on connections first: with 16, a worker waits for its relays most of the time; more of"
            " them are also more messages in a commit",
            "on the server's cores after that, however many workers there are",
            "on the row of a rate in common, where there is one, which one worker at a time holds"
            " until its commit: fewer, larger steps move it, more workers do not",
            "on the rows of a mailing being one transaction, in which nobody else writes: with 100"
            " million readers that is the next limit, whatever the workers do",
            "on what it leaves out: queues before something that is nearly used up, VACUUM, tables"
            " larger than memory, and relays that refuse",
        ),
        tables=(
            Table(name="costs", first="fitted", quantities=("ours", "server")),
            Table(
                name="checks",
                first="not fitted to",
                title="Checked:",
                quantities=("said", "found", "error"),
            ),
            *(
                Table(
                    name=name,
                    first="workers",
                    title=f"{name} each:" if "," not in name else f"{name}:",
                    quantities=("rate", "million", "millions10", "millions100"),
                    heads={"rate": "messages a second"},
                )
                for name in PLANTS
            ),
            Table(
                name="rows",
                first="rows",
                title="Of that, the rows alone:",
                quantities=("minutes",),
            ),
        ),
        plots=(
            Lines(
                file="plan",
                title="Messages a second by the number of workers, as the model has it",
                table="rates",
                quantity="rate",
                along="workers",
            ),
        ),
    ),
    Section(
        part="web",
        title="Serving",
        what="A feed over HTTP from `publisher serve`, over 16 connections that are kept open, for"
        " 5 seconds each: whole, compressed, and where nothing is new. nginx serves the same file"
        " over the same number of connections; it has it compressed beforehand (`gzip_static`)"
        " and, as Debian has it, no brotli. Steady is 170 requests a second, which is what 300,000"
        " subscribers make who ask twice an hour; waits are counted from when a request was due.",
        depends=(
            "on two cores that the client, the server, the sender and the sink share: waits are"
            " mostly those for a core",
            "on HTTP being parsed in Python (h11)",
        ),
        tables=(
            Table(
                name="publisher",
                first="publisher, as fast as answers come",
                quantities=(*_WAITS, "bytes"),
            ),
            Table(
                name="nginx", first="nginx, as fast as answers come", quantities=(*_WAITS, "bytes")
            ),
            Table(
                name="while sending",
                first="publisher while a mailing is sent, as fast as answers come",
                quantities=_WAITS,
            ),
            Table(name="publisher, steady", first="publisher, steady", quantities=_WAITS),
            Table(
                name="while sending, steady",
                first="publisher while a mailing is sent, steady",
                quantities=_WAITS,
            ),
            Table(
                name="sent",
                first="",
                quantities=("rate",),
                heads={"rate": "messages a second"},
            ),
        ),
        plots=(
            Bars(
                file="web",
                title="Milliseconds that 99 of 100 answers take, steady, while a mailing is sent",
                table="while sending, steady",
                quantity="p99",
                asked=50,
            ),
        ),
    ),
    Section(
        part="console",
        title="The console and the API",
        what="Each page with some years behind it: 100,000 readers, 2,000 issues, a mailing of"
        " each of the newest 1,000 and all that came of them. Pages are asked for one after the"
        " other, two minutes apart by the server's clock, so that no figure is one of before;"
        " first for the first time, then ten times.",
        depends=(
            "on one core's speed, and on SQLite finding its pages in memory",
            "on the browser not at all: what it does afterwards is not in it",
        ),
        tables=(
            Table(name="pages", first="page", quantities=("first", "page")),
            Table(name="folder", first="the issues' folder", quantities=("first",)),
        ),
    ),
)
