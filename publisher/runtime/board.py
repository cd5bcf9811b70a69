"""Which deliveries' bodies were begun, and what was said to them: what a dead process had in hand.

An intent is on disk before a connection is even tried, and says too little: of what a killed
process left, only a body that was begun can have reached its final dot. So each delivery that is
tried has a place in which its number is written just before the body goes out, and behind that what
the relay said to it, as soon as that was read. That is memory which the system keeps for a file: it
outlives the process, however that ends, and costs no time. It does not outlive the machine, of
which the file therefore names the boot.

A place is another delivery's only once the outcome of this one is on disk: what is there is never
taken away before it is known for good.

The file, from its byte 64 on: the boot, 36 bytes; the number of this format, 4 bytes; then the
places, each of 528 bytes: a delivery's number (8 bytes, big-endian), its state (1 byte), the length
of what follows (2 bytes, big-endian), and for what was accepted the reply, in MessagePack.
"""

import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path

import msgspec

from publisher.model.delivery import Outcome, Reply

_START = 64
_BOOT_BYTES = 36
_FORMAT = b"2   "
_PLACES = _START + _BOOT_BYTES + len(_FORMAT)
_PLACE_BYTES = 528
_HEAD = struct.Struct(">QBH")
_LENGTH = struct.Struct(">H")
_STATE, _LENGTH_AT = 8, 9
# How a delivery in a place stands: its body was begun, it was accepted, it was not sent after all.
_BEGUN, _ACCEPTED, _NOT_SENT = range(3)
# So many letters have room in any script.
_SHORT = 116
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_encode = msgspec.msgpack.Encoder().encode

# Deliveries whose bodies were begun: what the relay said when it accepted one, or None.
Begun = Mapping[int, Reply | None]


def read_boot() -> bytes:
    """What names this run of the machine; empty where the system does not tell."""
    try:
        return _BOOT.read_bytes().strip().ljust(_BOOT_BYTES, b"\0")[:_BOOT_BYTES]
    except OSError:
        return b""


def read_begun(descriptor: int) -> Begun | None:
    """The deliveries that may have been sent last; None where nobody knows any more."""
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    boot = read_boot()
    if not boot or data[_START:_PLACES] != boot + _FORMAT:
        return None
    places = range(_PLACES, len(data) - _PLACE_BYTES + 1, _PLACE_BYTES)
    found = (_read_place(data[place : place + _PLACE_BYTES]) for place in places)
    # What was tried once more has two places, of which one says what came of it in the end.
    return dict(sorted(filter(None, found), key=lambda each: each[1] is not None))


def _read_place(data: bytes) -> tuple[int, Reply | None] | None:
    number, state, length = _HEAD.unpack_from(data)
    if not number or state == _NOT_SENT:
        return None
    if state != _ACCEPTED:
        return number, None
    try:
        return number, msgspec.msgpack.decode(data[_HEAD.size : _HEAD.size + length], type=Reply)
    except msgspec.MsgspecError:
        return number, None  # whoever wrote that: it is a doubt


class Board:
    """So many places, in a file that this process alone has locked."""

    def __init__(self, descriptor: int, places: int) -> None:
        size = places * _PLACE_BYTES
        boot = read_boot().ljust(_BOOT_BYTES, b"\0")
        # Written, not only made longer: on a full disk that fails here, and not in mid-delivery.
        os.pwrite(descriptor, boot + _FORMAT + bytes(size), _START)
        os.ftruncate(descriptor, _PLACES + size)
        os.fsync(descriptor)
        self._memory = mmap.mmap(descriptor, _PLACES + size)

    def begin(self, place: int, delivery: int) -> None:
        """Note that the body of the delivery that has a place goes out now.

        First what was said to the last one is not true any more: a process may be killed between
        any two bytes, and none that was not sent may seem to be accepted.
        """
        start = _PLACES + place * _PLACE_BYTES
        self._memory[start + _STATE] = _NOT_SENT
        self._memory[start : start + _STATE] = delivery.to_bytes(_STATE, "big")
        self._memory[start + _STATE] = _BEGUN

    def end(self, place: int, outcome: Outcome) -> None:
        """Note what came of it. A doubt stays what it is: begun."""
        if outcome.kind == "unknown":
            return
        start = _PLACES + place * _PLACE_BYTES
        if outcome.kind == "accepted":
            said = _encode(_shorten(outcome.reply))
            self._memory[start + _HEAD.size : start + _HEAD.size + len(said)] = said
            self._memory[start + _LENGTH_AT : start + _HEAD.size] = _LENGTH.pack(len(said))
        # Last, and one byte: whenever the process ends, what it says is there.
        self._memory[start + _STATE] = _ACCEPTED if outcome.kind == "accepted" else _NOT_SENT


def _shorten(reply: Reply) -> Reply:
    """A reply that has room in a place, whatever it is written in."""
    if len(reply.text) <= _SHORT:
        return reply
    text = reply.text.encode()[: 4 * _SHORT].decode(errors="ignore")
    return Reply(reply.code, reply.enhanced[:16], text)
