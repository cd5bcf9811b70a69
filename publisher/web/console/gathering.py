"""A draft that is being made of what sources have: one at a time, in a thread, and its report.

The report is kept until the next one, or until the console ends; what counts is the draft itself.
"""

from collections.abc import Callable
from datetime import datetime
from threading import Lock, Thread

import msgspec

from publisher.errors import PublisherError
from publisher.runtime.drafting import Draft, Drafting, draft
from publisher.runtime.log import describe_defect

# A few sources answer within this, so that nobody has to wait for another page.
_AT_ONCE_SECONDS = 1.0
_STOP_SECONDS = 5.0

# What is to be done once a draft is written, by its path; says what went wrong with that.
Record = Callable[[str, str], str]


class Gathering(msgspec.Struct, frozen=True, kw_only=True):
    """How a draft stands: `done` of `total` sources were read; at its end `draft`, or `fault`.

    `unkept` says why git did not keep it, where it was to.
    """

    who: str
    at: datetime
    is_over: bool = False
    done: int = 0
    total: int = 0
    draft: Draft | None = None
    fault: str = ""
    unkept: str = ""


class Gatherings:
    """The one draft that is being made, or was made last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._gathering: Gathering | None = None
        self._thread: Thread | None = None

    def find(self) -> Gathering | None:
        with self._lock:
            return self._gathering

    def start(self, drafting: Drafting, who: str, record: Record) -> bool:
        """Begin a draft; False where another one is being made."""
        with self._lock:
            if self._gathering and not self._gathering.is_over:
                return False
            self._gathering = Gathering(who=who, at=drafting.now)
            self._thread = Thread(
                target=self._make, args=(drafting, record), name="draft", daemon=True
            )
            self._thread.start()
        self._thread.join(_AT_ONCE_SECONDS)
        return True

    def close(self) -> None:
        """Wait for what is written just now; reading does not stop a console from ending."""
        if self._thread:
            self._thread.join(_STOP_SECONDS)

    def _make(self, drafting: Drafting, record: Record) -> None:
        changes: dict[str, object] = {}
        try:
            made = draft(drafting, self._tell)
            changes["draft"] = made
            if made.issue and made.path:
                changes["unkept"] = record(made.issue, made.path)
        except PublisherError as error:
            changes["fault"] = str(error)
        except Exception as error:  # or it would be going on for ever
            changes["fault"] = describe_defect(error)
        self._change(is_over=True, **changes)

    def _tell(self, what: str, done: int, total: int) -> None:
        self._change(done=done, total=total)

    def _change(self, **changes: object) -> None:
        with self._lock:
            if self._gathering:
                self._gathering = msgspec.structs.replace(self._gathering, **changes)
