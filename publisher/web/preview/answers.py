"""What the building process tells the serving one: frames of JSON through a pipe."""

from datetime import datetime
from typing import BinaryIO

import msgspec

from publisher.model.problem import Problem

# The length of a frame stands before it: four bytes, the most significant first.
LENGTH_BYTES = 4


class Step(msgspec.Struct, frozen=True, tag="step"):
    """How far a long build is."""

    what: str
    done: int
    total: int


class Built(msgspec.Struct, frozen=True, kw_only=True, tag="built"):
    """A build that ended: where its index is, and everything that is wrong with the publication.

    `url`, `title`, `language` and `time_zone` are the publication's; `has_changes` tells that files
    of the site did, `fingerprint` changes with the issue files; `seconds` is how long it took.
    """

    index: str
    url: str
    title: str
    language: str
    time_zone: str
    problems: tuple[Problem, ...]
    has_changes: bool
    fingerprint: str
    at: datetime
    seconds: float


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A build that could not be done, and why: broken settings, or a defect."""

    message: str


Answer = Step | Built | Failed

_encode = msgspec.json.Encoder().encode
decode_answer = msgspec.json.Decoder(Answer).decode


def write_answer(stream: BinaryIO, answer: Answer) -> None:
    """Write one frame and send it off."""
    data = _encode(answer)
    stream.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    stream.flush()
