"""A process that signs what it is given: `python -m publisher.runtime.signer_process`.

Its standard input is a socket. First come the private keys in PEM, then one group after another of
as many texts as there are keys; each group is answered by its signatures. A group is one byte that
says how many there are, and each of them behind its length (4 bytes, big-endian). It ends when the
other side is gone.
"""

import signal
import socket
import sys
from collections.abc import Iterable
from struct import Struct
from typing import BinaryIO

from publisher.message.dkim import load_key, sign

_LENGTH = Struct(">I")


def pack(texts: Iterable[bytes]) -> bytes:
    """A group of texts as it is sent."""
    packed = [_LENGTH.pack(len(text)) + text for text in texts]
    return bytes((len(packed),)) + b"".join(packed)


def find_group(data: bytes) -> tuple[list[bytes], int] | None:
    """The group that some bytes begin with, and where it ends; None where it is not all there."""
    texts, start = list[bytes](), 1
    for _ in range(data[0] if data else 1):
        end = start + _LENGTH.size
        if len(data) < end:
            return None
        start, end = end, end + _LENGTH.unpack_from(data, start)[0]
        if len(data) < end:
            return None
        texts.append(data[start:end])
        start = end
    return texts, start


def _read_group(file: BinaryIO) -> list[bytes]:
    """The next group. Raises EOFError where there is none any more."""
    count = _read(file, 1)[0]
    return [_read(file, _LENGTH.unpack(_read(file, _LENGTH.size))[0]) for _ in range(count)]


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data


def main() -> None:
    # What is in flight is finished when the process that asks is told to stop; it ends with that.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=sys.stdin.fileno()) as asker, asker.makefile("rb") as file:
        try:
            keys = [load_key(pem) for pem in _read_group(file)]
            while True:
                texts = _read_group(file)
                signatures = [sign(key, text) for key, text in zip(keys, texts, strict=True)]
                asker.sendall(pack(signatures))
        except (EOFError, ConnectionError):
            pass


if __name__ == "__main__":
    main()
