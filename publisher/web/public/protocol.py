"""uvicorn's HTTP/1.1 without its patience: who sends nothing or takes nothing is let go."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from publisher.web.public.answers import BARE_POLICY

# A request's head comes within this once its connection stands or its first byte is there. A proxy
# that keeps connections ready opens them with a request.
HEAD_SECONDS = 10.0
# A reader takes some of what waits for them within this.
DRAIN_SECONDS = 30.0


class ImpatientProtocol(H11Protocol):
    """One connection."""

    _head_timer: asyncio.TimerHandle | None = None
    _drain_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(self._head_timer)
        self._stop(self._drain_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop(self._drain_timer)
        self._drain_timer = self.loop.call_later(DRAIN_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop(self._drain_timer)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, with the headers that every answer has."""
        headers = [
            ("content-type", "text/plain; charset=utf-8"),
            ("content-security-policy", BARE_POLICY),
            ("x-content-type-options", "nosniff"),
            ("connection", "close"),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=msg.encode("ascii")),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
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
