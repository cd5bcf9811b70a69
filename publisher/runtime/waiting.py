"""Waiting for a database server that is not there yet: a machine may start before it does."""

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from publisher.store.place_server import ServerPlace

# In seconds: each pause is twice the one before, and a server that is back is found soon.
_FIRST, _LONGEST = 0.5, 10.0
_LOOK_SECONDS = 0.05


def wait_for_server(place: ServerPlace, stop: Event, say: Callable[[str], None]) -> bool:
    """Wait until a server answers, whatever that is; said once. False where told to stop."""
    pause = _FIRST
    while outage := _ask(place, stop):
        if pause == _FIRST:
            say(f"The server is waited for: {outage}")
        stop.wait(pause)
        pause = min(2 * pause, _LONGEST)
    return not stop.is_set()


def _ask(place: ServerPlace, stop: Event) -> str:
    """Why it does not answer; empty where it does, or where told to stop."""
    found: list[str] = []

    def ask() -> None:
        with suppress(Exception):  # which who opens it hears too
            found.append(place.find_outage())

    # In a thread, since a server that says nothing is listened to for ten seconds.
    thread = Thread(target=ask, daemon=True)
    thread.start()
    while thread.is_alive() and not stop.is_set():
        thread.join(_LOOK_SECONDS)
    return found[0] if found and not stop.is_set() else ""
