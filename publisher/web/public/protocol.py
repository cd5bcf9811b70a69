"""uvicorn's HTTP/1.1 without its patience: who sends nothing or takes nothing is let go.

It stays with h11, though httptools parses faster: what is promised here (how long a head may be,
when it must be there, that a body left behind is no request) is told by h11's states.
"""

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from publisher.web.public.answers import guard

# A request's head comes within this once its connection stands or its first byte is there. A proxy
# that keeps connections ready opens them with a request.
HEAD_SECONDS = 10.0
# A reader takes some of what waits for them within this.
DRAIN_SECONDS = 30.0
# The parser is handed no more at once, since it limits the size only of what is incomplete.
_SLICE = 16_384
# So much of a body is passed over once it is answered; then its connection ends. It lets a form
# that is too long get its answer.
_MOST_SURPLUS = 1_000_000
# Connections that are kept free for those who come, as long as others only wait.
_SPARE = 20
# What is said above that.
_CROWDED_TEXT = b"Too many people are here just now.\n"
_CROWDED = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", str(len(_CROWDED_TEXT)).encode()),
    (b"cache-control", b"no-store"),
    (b"retry-after", b"60"),
    (b"connection", b"close"),
]


class ImpatientProtocol(H11Protocol):
    """One connection. It counts as waiting while it is its client's turn."""

    _since = 0.0
    _surplus = 0
    _head_timer: asyncio.TimerHandle | None = None
    _drain_timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # uvicorn's own answer to who is one too many would have no policy.
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._inner, self.app = self.app, self._answer

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if self._most is None or len(self.connections) < self._most:
            await self._inner(scope, receive, send)
            return
        dated = dict(self.server_state.default_headers)
        headers = [each for each in guard(_CROWDED) if each[0] not in dated]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": _CROWDED_TEXT})

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio does so only for sockets that were made with TCP's number; without it the second
        # part of an answer waits for the first one to be acknowledged, some 40 ms.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._since = self.loop.time()
        self._make_room()
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(self._head_timer)
        self._stop(self._drain_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _SLICE])
        self._pass_over(len(data))
        self._watch_head()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        self._surplus = 0
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._since = self.loop.time()
        self._stop(self._drain_timer)
        self._drain_timer = self.loop.call_later(DRAIN_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop(self._drain_timer)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, with the headers that every answer has."""
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"connection", b"close"),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (
                h11.Response(status_code=400, headers=guard(headers), reason=b"Bad Request"),
                h11.Data(data=msg.encode("ascii")),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def is_waiting(self) -> bool:
        """Tell whether nothing is done for it: its client sends nothing, or takes nothing."""
        is_answered = self.cycle is None or self.cycle.response_complete
        return is_answered or self.flow.write_paused or self.conn.their_state is h11.SEND_BODY

    def _make_room(self) -> None:
        """Let those go who keep us waiting longest, where there are too many connections.

        Who holds hundreds of them without a word loses them to the next who comes with a request.
        """
        limit = self._most
        if limit is None or len(self.connections) <= limit - _SPARE:
            return
        others = [
            each
            for each in self.connections
            if isinstance(each, ImpatientProtocol)
            and each is not self
            and not each.transport.is_closing()
        ]
        if len(others) < limit - _SPARE:
            return
        waiting = [each for each in others if each.is_waiting]
        if waiting:
            min(waiting, key=lambda each: each._since).transport.abort()

    def _pass_over(self, size: int) -> None:
        is_answered = self.cycle is not None and self.cycle.response_complete
        if is_answered and self.conn.their_state is h11.SEND_BODY:
            self._surplus += size
            if self._surplus > _MOST_SURPLUS:
                self.transport.close()

    def _watch_head(self) -> None:
        """Run a timer, which no byte in between prolongs, while a request's head is expected."""
        if not self._is_head_expected():
            self._stop(self._head_timer)
            self._head_timer = None
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._let_go)

    def _let_go(self) -> None:
        self._head_timer = None
        if self._is_head_expected() and not self.transport.is_closing():
            self.transport.close()

    def _is_head_expected(self) -> bool:
        """Tell whether nothing is being answered: not yet, or all of it before the body ended."""
        is_answered = self.cycle is not None and self.cycle.response_complete
        state = self.conn.their_state
        return state is h11.IDLE or (is_answered and state is h11.SEND_BODY)

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
