"""What only a PostgreSQL server's database has: batches of mailings, workers, and rates in common.

They are of this moment: nothing of them is backed up, moved to another database or exported.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, MetaData, Table, Text, text

from publisher.store.columns import Moment

metadata = MetaData()
_TEXT = Text(collation="C")

# A range of a mailing's deliveries, by their ids. Each lease raises `token`; `holder` is the worker
# that has the last one, until it gives that back. `due_at` is when the batch is to be worked at, 0
# at once; NULL where nothing of it is left to be tried.
batch = Table(
    "batch",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("mailing", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("due_at", Moment),
    Column("holder", _TEXT),
)
Index("batch_of_mailing", batch.c.mailing, batch.c.last)
Index("batch_due", batch.c.mailing, batch.c.id, postgresql_where=text("due_at IS NOT NULL"))

# Each delivering process, by what it is called; `rate` is of its last seconds. `seen_at` is by
# the server's clock.
worker = Table(
    "worker",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("is_lead", Boolean, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("rate", Float, nullable=False),
)

# Until when what all workers have in common is used up: the relay, by an empty name, and domains.
pace = Table(
    "pace",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("until", Float, nullable=False),
)
