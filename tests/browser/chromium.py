"""Where this machine has a Chromium: `python -m tests.browser.chromium` prints it."""

import os
import shutil
import sys
from pathlib import Path

# The first one has no window: it does the same with half of the CPU.
COMMANDS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
ADVICE = (
    "no Chromium was found. Install one (Debian: apt-get install chromium-headless-shell; any "
    "system: .venv/bin/playwright install chromium), or name it in PLAYWRIGHT_CHROMIUM. Where "
    "there can be none, PUBLISHER_NO_BROWSER=1 leaves out the tests that need one."
)


def is_unwanted() -> bool:
    """Tell whether the tests that need a browser were left out by somebody's decision."""
    return bool(os.environ.get("PUBLISHER_NO_BROWSER"))


def find_chromium() -> str:
    """Find a Chromium or Chrome. Raises LookupError, with advice, where there is none."""
    if named := os.environ.get("PLAYWRIGHT_CHROMIUM"):
        if not Path(named).is_file():
            raise LookupError(f"PLAYWRIGHT_CHROMIUM names {named}, which does not exist")
        return named
    for command in COMMANDS:
        if path := shutil.which(command):
            return path
    for path in (*APPLICATIONS, _playwrights_own()):
        if Path(path).is_file():
            return path
    raise LookupError(ADVICE)


def _playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def main() -> None:
    if is_unwanted():
        return
    try:
        print(find_chromium())
    except LookupError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
