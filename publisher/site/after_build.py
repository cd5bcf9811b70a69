"""after_build: the operator's own command after the site changed, such as an rsync."""

import os
import subprocess
from pathlib import Path

from publisher.errors import PublisherError
from publisher.settings import Settings
from publisher.site.job import CACHE

_OWED = "after-build-owed"


def owe_after_build(folder: Path) -> None:
    """Note that the site changes, so that the command runs even if this process is killed first."""
    (folder / CACHE / _OWED).touch()


def is_after_build_owed(settings: Settings, folder: Path) -> bool:
    """Tell whether the site has changed and the command has not succeeded since."""
    return bool(settings.site.after_build) and (folder / CACHE / _OWED).exists()


def run_after_build(settings: Settings, folder: Path, output: Path, *, has_changed: bool) -> None:
    """Run `site.after_build` when the site changed, or when it failed the last time.

    Its output goes to standard error. Raises PublisherError when it fails.
    """
    command = settings.site.after_build
    owed = folder / CACHE / _OWED
    if not command or not (has_changed or owed.exists()):
        return
    owe_after_build(folder)
    environment = {**os.environ, "PUBLISHER_OUTPUT": str(output)}
    done = subprocess.run(  # noqa: S602 - a shell command of the operator's own settings
        command, shell=True, cwd=folder, env=environment, stdout=2, check=False
    )
    if done.returncode:
        raise PublisherError(
            f"site.after_build failed with exit status {done.returncode}: {command}. The site in "
            f"{output} is up to date; run `publisher build` to try the command again."
        )
    owed.unlink(missing_ok=True)
