"""The table of imports that were run in the console; `schema` has all tables."""

from sqlalchemy import Column, Index, Integer, Text

from publisher.store.columns import Moment, one_of, table

# What came of a file of readers, whose own content is not kept. `rejected` is a JSON list of lines
# that were not taken: they have addresses in them, and are forgotten after some time.
imported = table(
    "imported",
    Column("name", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("client", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("fault", Text, nullable=False, server_default=""),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("added", Integer, nullable=False, server_default="0"),
    Column("updated", Integer, nullable=False, server_default="0"),
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column("rejected_total", Integer, nullable=False, server_default="0"),
    Column("rejected", Text, nullable=False, server_default="[]"),
    one_of("status", "running", "done", "stopped", "failed"),
)
Index("imported_by_publication", imported.c.publication, imported.c.id)
