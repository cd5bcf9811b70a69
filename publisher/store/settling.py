"""The two statements by which an outcome is written, in the words of both databases.

All outcomes of a step are given at once, which to a server is one round trip for each of the two.
As the first one is written, no index but that of ids would do: it might read all that was not sent.
"""

from publisher.store.driver import Statement

SETTLE = Statement(
    """
    WITH n (status, attempts, doubts, breaks, first_attempt_at, next_attempt_at, last_reply,
        relay_id, id) AS (VALUES {rows})
    UPDATE delivery SET status = n.status, attempts = n.attempts, doubts = n.doubts,
        breaks = n.breaks, first_attempt_at = n.first_attempt_at,
        next_attempt_at = n.next_attempt_at, last_reply = n.last_reply, relay_id = n.relay_id
    FROM n WHERE delivery.id = n.id AND delivery.status || '' = 'sending'
""",
    """
    UPDATE delivery AS d SET status = n.status, attempts = n.attempts, doubts = n.doubts,
        breaks = n.breaks, first_attempt_at = n.first_attempt_at,
        next_attempt_at = n.next_attempt_at, last_reply = n.last_reply, relay_id = n.relay_id
    FROM unnest(?::text[], ?::int[], ?::int[], ?::int[], ?::bigint[], ?::bigint[], ?::text[],
        ?::text[], ?::bigint[]) AS n (status, attempts, doubts, breaks, first_attempt_at,
        next_attempt_at, last_reply, relay_id, id)
    WHERE d.id = n.id AND d.status || '' = 'sending'
""",
)
# It comes first. On a server a step is repeated whose commit nobody heard of, as the connection was
# lost: what is as this outcome left it has its line. What was to be resent may have been taken once
# more in that step.
RECORD = Statement(
    """
    INSERT INTO ledger
        (publication, mailing, delivery, at, event, attempt, stage, reply, relay_id, relay)
    VALUES {rows}
""",
    """
    INSERT INTO ledger
        (publication, mailing, delivery, at, event, attempt, stage, reply, relay_id, relay)
    SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::int[],
        ?::text[], ?::text[], ?::text[], ?::text[]) AS n (publication, mailing, delivery, at, event,
        attempt, stage, reply, relay_id, relay)
    WHERE (SELECT (d.status <> 'sending' OR n.event = 'resent') AND d.attempts = n.attempt
        AND d.last_reply = n.reply FROM delivery AS d WHERE d.id = n.delivery) IS NOT TRUE
""",
)
