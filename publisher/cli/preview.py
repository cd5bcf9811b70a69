"""preview: the site, the message and the feeds in a browser, made anew at every save."""

import os
import signal
import sys
import threading
import webbrowser
from typing import Annotated, Any

import typer

from publisher.cli.output import (
    DEFAULT_CONFIG,
    Config,
    Json,
    ProgressLine,
    count,
    open_publication,
    print_json,
    say,
)
from publisher.web.preview.answers import Answer, Failed, Step

USUAL_PORT = 8800


def preview_command(
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help=f"The port on 127.0.0.1; else {USUAL_PORT} or the next free one; 0: any.",
        ),
    ] = None,
    is_open: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open a browser; else only on a terminal."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> int:
    """Show the site, the message and the feeds in a browser, made anew at every save.

    Drafts and issues of days to come are shown too. Nothing is published, and
    only this computer can see it. Ctrl-C stops it.

    \b
    Examples:
      publisher preview
      publisher preview --no-open --port 9000
    """
    signal.signal(signal.SIGTERM, _leave)
    try:
        open_publication(config)  # settings that are wrong from the start stop us here
        from publisher.web.preview.serve import HOST, open_port, serve

        taken = open_port(USUAL_PORT if port is None else port, is_fixed=port is not None)
        url = f"http://{HOST}:{taken.getsockname()[1]}/"

        def announce() -> None:
            say(f"Preview: {url} (Ctrl-C stops it)")
            if json:
                print_json({"url": url})
            if _has_browser() if is_open is None else is_open:
                # In a thread, for some browsers return only when they are closed.
                threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

        serve(config.resolve(), taken, announce, _Teller())
    except KeyboardInterrupt:
        pass  # told to stop while still starting
    return 0


class _Teller:
    """Says on standard error what came of each save."""

    def __init__(self) -> None:
        self.progress = ProgressLine()

    def __call__(self, answer: Answer) -> None:
        if isinstance(answer, Step):
            self.progress(answer.what, answer.done, answer.total)
            return
        self.progress.close()
        if isinstance(answer, Failed):
            say(f"Not built: {answer.message}")
            return
        levels = [problem.level for problem in answer.problems]
        found = f"{count(levels.count('error'), 'error')}, "
        found += count(levels.count("warning"), "warning")
        say(f"{answer.at:%H:%M:%S} built in {answer.seconds * 1000:,.0f} ms: {found}")


def _leave(*_: Any) -> None:
    raise KeyboardInterrupt


def _has_browser() -> bool:
    """Tell whether a person sits here whose browser opens in a window, not in this terminal."""
    is_windowed = sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return sys.stderr.isatty() and is_windowed
