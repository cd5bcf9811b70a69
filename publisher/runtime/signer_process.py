"""A process that signs what it is given: `python -m publisher.runtime.signer_process`.

Its standard input is a socket. First come the private keys in PEM, then one group after another of
as many texts as there are keys. Each group is answered by its signatures, and those that came
together at once. A group is one byte that says how many there are, and each of them behind its
length (4 bytes, big-endian). It ends when the other side is gone.
"""

import os
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from struct import Struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from publisher.message.dkim import load_key, sign

# So much later than the process that asks: where both want a core, that has it.
_NICE = 2
_LENGTH = Struct(">I")
# So much is read at once: some eight groups, whose answers are one piece then.
_PART = 8192


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


def _read_groups(asker: socket.socket) -> Iterator[list[list[bytes]]]:
    """The groups that have come, one at least, again and again until the other side is gone."""
    buffer = b""
    while received := asker.recv(_PART):
        buffer += received
        groups, start = list[list[bytes]](), 0
        while (found := find_group(buffer[start:])) is not None:
            groups.append(found[0])
            start += found[1]
        buffer = buffer[start:]
        if groups:
            yield groups


def main() -> None:
    # What is in flight is finished when the process that asks is told to stop; it ends with that.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # It asks for more than it needs at once, and has nothing to do where it is kept from asking.
    os.nice(_NICE)
    keys: list[RSAPrivateKey | Ed25519PrivateKey] = []
    with socket.socket(fileno=sys.stdin.fileno()) as asker, suppress(ConnectionError):
        for groups in _read_groups(asker):
            if not keys:
                keys = [load_key(pem) for pem in groups.pop(0)]
            answers = [
                pack(sign(key, text) for key, text in zip(keys, texts, strict=True))
                for texts in groups
            ]
            asker.sendall(b"".join(answers))


if __name__ == "__main__":
    main()
