"""A mail server's log -> the Message-IDs of what it took: Postfix's and Exim's."""

import re
from collections.abc import Iterable, Iterator

# postfix/cleanup[77]: 4fX2kq1Rz9z3: message-id=<...>; then, once it is safely in the queue,
# postfix/qmgr[12]: 4fX2kq1Rz9z3: from=<...>, size=30123, nrcpt=1 (queue active).
_POSTFIX = re.compile(
    r"postfix[\w/-]*/(cleanup|qmgr)\[\d+\]: ([0-9A-Za-z]{6,20}): (?:message-id=(<[^>]*>)|from=<)"
)
# 1tGk2s-0003xY-2b <= bounces@daily.example H=... S=30123 id=...
_EXIM = re.compile(r"\b[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4} <= .* id=(\S+)")


def read_taken(lines: Iterable[str]) -> Iterator[str]:
    """The Message-IDs of messages that the log has as taken, in the order of its lines.

    A message whose receiving was begun, and not ended, is none of them.
    """
    begun: dict[str, str] = {}
    for line in lines:
        if match := _POSTFIX.search(line):
            _, queue_id, message_id = match.groups()
            if message_id:
                begun[queue_id] = message_id
            elif queue_id in begun:
                yield begun.pop(queue_id)
        elif match := _EXIM.search(line):
            yield f"<{match[1]}>"
