"""The publication's folder -> a call at each change of what a build reads."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from watchfiles import awatch

from publisher.errors import PublisherError
from publisher.site.scan import ISSUES, MEDIA, TEMPLATES

FOLDERS = (ISSUES, MEDIA, TEMPLATES)
# Milliseconds. An editor's save is several steps (a file aside, a rename): it is over when for one
# step nothing happens. A program that writes without a pause is not waited for any longer.
_STEP = 20
_DEBOUNCE = 400
# Seconds until the watches stand for certain; what changed before is seen by one more build.
_SETTLE = 0.2

Note = Callable[[], None]


async def watch(config: Path, note: Note) -> None:
    """Call `note` at each change of the settings, the issues, the media or the templates.

    Folders may come and go meanwhile. Runs until cancelled. Raises PublisherError where the system
    does not let us watch.
    """
    while True:
        asyncio.get_running_loop().call_later(_SETTLE, note)
        try:
            await _watch_until_folders_change(config, note)
        except FileNotFoundError:
            if not config.parent.is_dir():
                raise PublisherError(f"{config.parent} is no longer there") from None
            await asyncio.sleep(_SETTLE)
        except OSError as error:
            raise PublisherError(
                f"{config.parent} cannot be watched for changes: {error}. "
                "WATCHFILES_FORCE_POLLING=1 does without the system's help."
            ) from error


async def _watch_until_folders_change(config: Path, note: Note) -> None:
    watches = [
        asyncio.create_task(_watch_top(config, note)),
        asyncio.create_task(_watch_inside(config.parent, note)),
    ]
    try:
        ended, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
    for task in ended:
        task.result()


async def _watch_top(config: Path, note: Note) -> None:
    """Watch the settings, until one of the folders comes or goes."""
    # The folder without what is below it: the site, a repository's history and an environment may
    # be there too, with more folders than a system lets a process watch.
    async for changes in awatch(config.parent, step=_STEP, debounce=_DEBOUNCE, recursive=False):
        names = {Path(path).name for _, path in changes}
        if config.name in names:
            note()
        if names & set(FOLDERS):
            return


async def _watch_inside(folder: Path, note: Note) -> None:
    present = [folder / name for name in FOLDERS if (folder / name).is_dir()]
    if not present:
        await asyncio.Event().wait()
    async for _ in awatch(*present, step=_STEP, debounce=_DEBOUNCE):
        note()
