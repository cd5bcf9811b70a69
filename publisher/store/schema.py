"""The tables, for SQLite and PostgreSQL: what the database itself holds to be true.

Times are whole milliseconds since 1970 in UTC. Each table of readers, mailings and schedules
names its publication. A change here needs a migration in `migrations/versions`; a test compares.
"""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from publisher.store.columns import Id as _Id
from publisher.store.columns import Moment
from publisher.store.columns import metadata as metadata
from publisher.store.columns import one_of as _one_of
from publisher.store.columns import table as _table
from publisher.store.schema_approvals import approval as approval
from publisher.store.schema_contents import mailing_content as mailing_content
from publisher.store.schema_folds import mailing_fold as mailing_fold
from publisher.store.schema_folds import mailing_total as mailing_total
from publisher.store.schema_imports import imported as imported
from publisher.store.schema_plans import planned_send as planned_send
from publisher.store.schema_readings import reading_client as reading_client
from publisher.store.schema_readings import reading_count as reading_count
from publisher.store.schema_readings import reading_day as reading_day
from publisher.store.schema_readings import reading_report as reading_report
from publisher.store.schema_relays import relay as relay
from publisher.store.schema_relays import relay_day as relay_day
from publisher.store.schema_subscribers import consent as consent
from publisher.store.schema_subscribers import subscriber as subscriber
from publisher.store.schema_subscribers import suppression as suppression
from publisher.store.schema_variants import mailing_choice as mailing_choice
from publisher.store.schema_variants import mailing_issue as mailing_issue
from publisher.store.schema_webhooks import webhook as webhook
from publisher.store.schema_webhooks import webhook_event as webhook_event

# What concerns the database as a whole: its keys, and whether it may send.
installation = Table(
    "installation",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

publication = Table(
    "publication",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("uri", Text, nullable=False, unique=True),
)

# What was asked for over HTTP in the last day, so that nobody can be mailed over and over.
request = _table(
    "request",
    Column("kind", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
)
Index("request_by_hash", request.c.publication, request.c.kind, request.c.hash, request.c.at)

# What was asked for and is not done yet: it outlives the process that took it. `hash` is that by
# which requests for the address are counted.
wish = _table(
    "wish",
    Column("kind", Text, nullable=False),
    Column("subscriber", _Id, ForeignKey("subscriber.id", ondelete="CASCADE"), index=True),
    Column("email", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default=""),
    Column("client", Text, nullable=False, server_default=""),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    _one_of("kind", "subscribe", "preferences", "address", "welcome"),
)

# One for each publication, issue and purpose. A single message's `issue` is a word of its own, a
# correction's ID@VERSION. `content` is that of revision 0, as is `version`, which is the issue's
# text's; what is taken is sent with `revision`: see mailing_content. Deliveries behind
# `canary_last` wait; until `canary_until`, where the ones before were tried. `highlights` are those
# that a correction is about, with blanks between, where it is not about all of the issue.
mailing = _table(
    "mailing",
    Column("ref", Text, nullable=False, unique=True),
    Column("issue", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    # Before the content, behind which SQLite finds a column by reading that.
    Column("version", Text, nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("highlights", Text, nullable=False, server_default=""),
    Column("digest", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("domain", Text, nullable=False),
    Column("recipients", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("canary_last", _Id),
    Column("canary_until", Moment),
    UniqueConstraint("publication", "issue", "purpose"),
    _one_of(
        "purpose",
        *("issue", "correction", "confirmation", "preferences", "address", "welcome", "notice"),
        *("alert", "test", "weekly"),
    ),
    _one_of("status", "sending", "paused", "cancelled", "finished"),
)
Index(
    "mailing_active",
    mailing.c.status,
    sqlite_where=text("status IN ('sending', 'paused')"),
    postgresql_where=text("status IN ('sending', 'paused')"),
)
# What ended long ago has its deliveries folded into totals.
Index("mailing_by_end", mailing.c.publication, mailing.c.finished_at)
# Single messages are many more.
_OF_ISSUES = text("purpose = 'issue'")
Index(
    "mailing_of_issues",
    mailing.c.publication,
    mailing.c.id,
    sqlite_where=_OF_ISSUES,
    postgresql_where=_OF_ISSUES,
)
_OF_WEEKS = text("purpose = 'weekly'")
Index(
    "mailing_of_weeks",
    mailing.c.publication,
    mailing.c.id,
    sqlite_where=_OF_WEEKS,
    postgresql_where=_OF_WEEKS,
)
_OF_CORRECTIONS = text("purpose = 'correction'")
Index(
    "mailing_of_corrections",
    mailing.c.publication,
    mailing.c.id,
    sqlite_where=_OF_CORRECTIONS,
    postgresql_where=_OF_CORRECTIONS,
)

# One for each mailing and subscriber. `address` is where those go that go to another address than
# the subscriber's, or to no subscriber. `attempts` counts what concerned the recipient;
# `first_attempt_at` is when giving up is counted from. `revision` is that of the content which it
# was taken with last; `about` is the delivery that a correction's answers,
# `variant` what was chosen of the content, `relay` the name of the one that it was taken for last,
# where that has one; `relay_id` is that relay's name for the message.
delivery = _table(
    "delivery",
    Column("mailing", _Id, ForeignKey("mailing.id"), nullable=False),
    Column("subscriber", _Id, ForeignKey("subscriber.id", ondelete="SET NULL"), index=True),
    Column("address", Text),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("doubts", Integer, nullable=False, server_default="0"),
    Column("breaks", Integer, nullable=False, server_default="0"),
    Column("first_attempt_at", Moment),
    Column("next_attempt_at", Moment),
    Column("last_reply", Text),
    Column("relay_id", Text),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("about", _Id),
    Column("variant", Integer, nullable=False, server_default="0"),
    Column("relay", Text),
    UniqueConstraint("mailing", "subscriber"),
    _one_of(
        "status",
        *("queued", "sending", "deferred", "sent", "failed", "in_doubt", "suppressed", "cancelled"),
    ),
)
# All but what was sent, which is most of it, and is counted as what remains.
_NOT_SENT = text("status <> 'sent'")
Index(
    "delivery_not_sent",
    delivery.c.mailing,
    delivery.c.status,
    delivery.c.next_attempt_at,
    delivery.c.id,
    sqlite_where=_NOT_SENT,
    postgresql_where=_NOT_SENT,
)

# The record of what was done with deliveries: a line for each change of their status but the intent
# itself, for what came back later, and for what operators did to mailings. Rows are only added.
ledger = _table(
    "ledger",
    Column("mailing", _Id, ForeignKey("mailing.id"), nullable=False),
    Column("delivery", _Id),
    Column("at", Moment, nullable=False),
    Column("event", Text, nullable=False),
    Column("attempt", Integer),
    Column("stage", Text),
    Column("reply", Text),
    Column("relay_id", Text),
    Column("relay", Text),
)
Index("ledger_of_delivery", ledger.c.delivery)
_HAS_RELAY_ID = text("relay_id IS NOT NULL")
Index(
    "ledger_by_relay_id",
    ledger.c.relay_id,
    sqlite_where=_HAS_RELAY_ID,
    postgresql_where=_HAS_RELAY_ID,
)
_FAILED = text("event IN ('failed', 'expired', 'parked')")
Index(
    "ledger_failed",
    ledger.c.publication,
    ledger.c.at,
    sqlite_where=_FAILED,
    postgresql_where=_FAILED,
)
# What came back, which is little of it.
_RETURNED = text("event IN ('bounced', 'soft_bounced', 'complained', 'left')")
for _name, *_columns in (
    ("ledger_returned", ledger.c.publication, ledger.c.id),
    ("ledger_returned_of_mailing", ledger.c.mailing, ledger.c.event),
):
    Index(_name, *_columns, sqlite_where=_RETURNED, postgresql_where=_RETURNED)

# Complaints and unsubscribe mails that were read, by a hash of what tells each from others.
report = _table(
    "report",
    Column("hash", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("publication", "hash"),
)

# When a schedule was first seen: before that nothing was missed.
schedule = _table(
    "schedule",
    Column("name", Text, nullable=False),
    Column("cron", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    UniqueConstraint("publication", "name"),
)

# One for each schedule and due time on the wall clock, as `2025-12-15T06:30`.
occurrence = _table(
    "occurrence",
    Column("schedule", Text, nullable=False),
    Column("wall", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("status", Text, nullable=False),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("issue", Text),
    Column("slug", Text),
    Column("mailing", _Id, ForeignKey("mailing.id")),
    Column("ran_at", Moment),
    UniqueConstraint("publication", "schedule", "wall"),
    _one_of("status", "open", "fired", "missed", "superseded"),
)

# Issues that a schedule passed over for a newer one: only an operator sends them.
superseded = _table(
    "superseded",
    Column("issue", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("publication", "issue"),
)

# What an operator was told, so that it is told once.
alert = _table(
    "alert",
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("cleared_at", Moment),
    UniqueConstraint("publication", "kind", "about"),
)

# Who runs the publication. `key` is the address in its one spelling. Who was removed stays, so that
# nobody else takes the place in what they did.
operator = _table(
    "operator",
    Column("email", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("password_changed_at", Moment, nullable=False),
    Column("last_login_at", Moment),
    Column("removed_at", Moment),
    UniqueConstraint("publication", "key"),
    _one_of("role", "viewer", "editor", "sender", "owner"),
)

# Who is logged in; `hash` is that of the id in their cookie, `data` a JSON object.
session = _table(
    "session",
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column(
        "operator", _Id, ForeignKey("operator.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("data", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=False),
)

# Links that work once: to become an operator or to choose another password. The first owner's has
# no address yet.
invitation = _table(
    "invitation",
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("role", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    _one_of("role", "viewer", "editor", "sender", "owner"),
)
Index("invitation_by_key", invitation.c.publication, invitation.c.key)

# What programs are let in by. `prefix` is how the secret begins, which is shown; `scopes` are
# separated by blanks; without an operator it was made at the command line.
api_token = _table(
    "api_token",
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("operator", _Id, ForeignKey("operator.id"), index=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)
Index(
    "api_token_by_name",
    api_token.c.publication,
    api_token.c.name,
    unique=True,
    sqlite_where=text("revoked_at IS NULL"),
    postgresql_where=text("revoked_at IS NULL"),
)

# What the API answered within a day to changes that came with an Idempotency-Key; `hash` is that of
# the request.
answer = _table(
    "answer",
    Column("token", _Id, ForeignKey("api_token.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("token", "key"),
)
Index("answer_by_at", answer.c.publication, answer.c.at)

# Who did what. Rows are only added.
audit = _table(
    "audit",
    Column("at", Moment, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("about", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("client", Text, nullable=False, server_default=""),
)
Index("audit_by_who", audit.c.publication, audit.c.who, audit.c.id)
Index("audit_by_action", audit.c.publication, audit.c.action, audit.c.id)
