"""Which deliveries' bodies were begun: what a dead process had in hand, told exactly.

An intent is on disk before a connection is even tried, and says too little: of what a killed
process left, only a body that was begun can have reached its final dot. So each connection writes
the number of its delivery into a place of its own just before the body goes out. That is memory
which the system keeps for a file: it outlives the process, however that ends, and costs no time. It
does not outlive the machine, of which the file therefore names the boot.

A number stays until the connection's next body, whose intent is on disk with the outcome of this
one: it is never taken away before the outcome is known for good.

The file, from its byte 64 on: the boot, 40 bytes; then 8 bytes for each connection, big-endian.
"""

import mmap
import os
import struct
from pathlib import Path

_START = 64
_BOOT_BYTES = 40
_NUMBERS = _START + _BOOT_BYTES
_NUMBER = struct.Struct(">Q")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def read_boot() -> bytes:
    """What names this run of the machine; empty where the system does not tell."""
    try:
        return _BOOT.read_bytes().strip().ljust(_BOOT_BYTES, b"\0")[:_BOOT_BYTES]
    except OSError:
        return b""


def read_begun(descriptor: int) -> set[int] | None:
    """The deliveries whose bodies were begun last; None where nobody knows any more."""
    size = os.fstat(descriptor).st_size
    data = os.pread(descriptor, size, 0)
    boot = read_boot()
    if not boot or data[_START:_NUMBERS] != boot:
        return None
    numbers = data[_NUMBERS : size - (size - _NUMBERS) % _NUMBER.size]
    return {number for (number,) in _NUMBER.iter_unpack(numbers) if number}


class Board:
    """Places for so many connections, in a file that this process alone has locked."""

    def __init__(self, descriptor: int, connections: int) -> None:
        size = connections * _NUMBER.size
        # Written, not only made longer: on a full disk that fails here, and not in mid-delivery.
        os.pwrite(descriptor, read_boot().ljust(_BOOT_BYTES, b"\0") + bytes(size), _START)
        os.ftruncate(descriptor, _NUMBERS + size)
        os.fsync(descriptor)
        self._memory = mmap.mmap(descriptor, _NUMBERS + size)

    def note(self, place: int, delivery: int) -> None:
        """Note that the body of a delivery goes out now, over the connection in a place."""
        _NUMBER.pack_into(self._memory, _NUMBERS + place * _NUMBER.size, delivery)
