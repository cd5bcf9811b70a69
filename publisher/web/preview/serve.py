"""The preview as a whole: builds, watches and serves until it is told to stop."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from uvicorn._types import ASGIApplication

from publisher.errors import PublisherError
from publisher.site.job import CACHE
from publisher.web.preview.building import Building, Hear
from publisher.web.preview.watch import watch

HOST = "127.0.0.1"
# How many ports above the usual one are tried.
_PORTS = 50
# What is being answered when the preview stops has this long.
_LEAVE_SECONDS = 1


def open_port(port: int, *, is_fixed: bool) -> socket.socket:
    """Take a port on loopback: this one, or else the next free one unless it `is_fixed`.

    Port 0 is any free one. Raises PublisherError where there is none.
    """
    last = port if is_fixed else min(port + _PORTS, 65535)
    for candidate in range(port, last + 1):
        taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((HOST, candidate))
            taken.listen()
        except OSError as error:
            taken.close()
            reason = error.strerror
            continue
        return taken
    ports = f"port {port}" if is_fixed else f"the ports {port} to {last}"
    raise PublisherError(f"{ports} cannot be used: {reason}. Name another with --port.")


class _Server(uvicorn.Server):
    """Stops at the first signal without passing it on: leaving a preview is no failure."""

    def __init__(self, config: uvicorn.Config, building: Building) -> None:
        super().__init__(config)
        self.building = building

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.building.close()  # pages that wait for a build would wait for ever
        await super().shutdown(sockets)


def serve(config: Path, port: socket.socket, announce: Callable[[], None], hear: Hear) -> None:
    """Serve the publication of `config` on an open port until SIGINT or SIGTERM."""
    try:
        asyncio.run(_serve(config, port, announce, hear))
    except* PublisherError as group:
        raise group.exceptions[0] from None


async def _serve(
    config: Path, port: socket.socket, announce: Callable[[], None], hear: Hear
) -> None:
    building = Building(config, config.parent / CACHE / "preview", hear)
    async with asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(building.build_at_changes()),
            tasks.create_task(watch(config, building.note_change)),
        ]
        # The building process starts while Litestar, which takes as long, is imported.
        await asyncio.sleep(0)
        from publisher.web.preview.app import make_app

        app: ASGIApplication = make_app(building)  # type: ignore[assignment]
        options = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_LEAVE_SECONDS,
        )
        announce()
        await _Server(options, building).serve(sockets=[port])
        for task in background:
            task.cancel()
