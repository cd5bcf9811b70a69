"""A relay's own report -> the same report that a bounce by mail is read to."""

from collections.abc import Sequence

from publisher.inbound.report import Failure, Names, Report
from publisher.inbound.verdict import Verdict

# A complaint of a delivery counts once, whichever way it is told.
_IDENTITY = b"hook"
_SAID_CHARACTERS = 500


def bounce(names: Names, failures: Sequence[Failure]) -> Report:
    return Report(kind="bounce", identity=_IDENTITY, names=names, failures=tuple(failures))


def complaint(names: Names, recipients: Sequence[str]) -> Report:
    return Report(kind="complaint", identity=_IDENTITY, names=names, recipients=tuple(recipients))


def delivered(names: Names) -> Report:
    return Report(kind="delivered", identity=_IDENTITY, names=names)


def failure(recipient: str, verdict: Verdict, *said: str) -> Failure:
    """What was reported of one recipient; what was said may be anything."""
    text = " ".join(" ".join(said).split())
    shown = "".join(filter(str.isprintable, text))[:_SAID_CHARACTERS]
    return Failure(recipients=(recipient,), verdict=verdict, said=shown)
