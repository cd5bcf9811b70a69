"""A file's answer, and how it is sent: in pieces, to whoever takes them."""

import asyncio
from collections.abc import AsyncIterator
from typing import BinaryIO, NamedTuple

import msgspec
from litestar.types import HTTPResponseBodyEvent, Receive, Send

# So much waits for a client at most, twice: here, and in its socket's own buffer.
_PIECE = 65_536
# What is read of a disk at once.
_READ = 4 * _PIECE


class Part(NamedTuple):
    """Bytes of an open file, which are read while they are sent; then it is closed."""

    file: BinaryIO
    first: int
    length: int


class FileAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent. `feed` is the path of the live feed that it is, whatever it was asked by."""

    status: int
    headers: dict[str, str]
    body: bytes | Part = b""
    feed: str = ""

    async def send(self, receive: Receive, send: Send) -> None:
        lines = [(name.lower().encode(), text.encode()) for name, text in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": lines})
        if isinstance(self.body, Part):
            await _send_part(self.body, receive, send)
            return
        for start in range(0, len(self.body) or 1, _PIECE):
            end = start + _PIECE
            await send(_piece(self.body[start:end], is_last=end >= len(self.body)))


async def _send_part(part: Part, receive: Receive, send: Send) -> None:
    """Send as fast as it is taken, and no longer than somebody is there."""
    leaving = asyncio.ensure_future(_wait_until_gone(receive))
    try:
        with part.file:
            async for data in _read(part):
                for start in range(0, len(data), _PIECE):
                    await send(_piece(data[start : start + _PIECE]))
                if leaving.done():
                    return
            await send(_piece(b"", is_last=True))
    finally:
        leaving.cancel()


async def _read(part: Part) -> AsyncIterator[bytes]:
    left = part.length
    part.file.seek(part.first)
    while left and (data := await asyncio.to_thread(part.file.read, min(_READ, left))):
        left -= len(data)
        yield data


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _piece(data: bytes, *, is_last: bool = False) -> HTTPResponseBodyEvent:
    return {"type": "http.response.body", "body": data, "more_body": not is_last}
