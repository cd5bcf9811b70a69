"""Which files of the site are live feeds: by a path, and those that are there."""

import os
import re
from pathlib import Path

from publisher.errors import PublisherError

_STEMS = ("feed", "issues")
_FORMATS = ("atom", "rss", "json")
_FEED = re.compile(rf"(?:{'|'.join(_STEMS)}|tags/[^/]+/feed)\.(?:{'|'.join(_FORMATS)})")


def is_feed(path: str) -> bool:
    """Tell whether a path below public/ is a live feed's; archive documents are none."""
    return bool(_FEED.fullmatch(path))


def list_feeds(output: Path) -> list[str]:
    """The live feeds that are there, in every format: the publication's own and each tag's."""
    stems = [*_STEMS]
    try:
        stems += [f"tags/{name}/feed" for name in sorted(os.listdir(output / "tags"))]
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise PublisherError(f"{output / 'tags'} cannot be read: {error.strerror}") from None
    paths = [f"{stem}.{format_}" for stem in stems for format_ in _FORMATS]
    return [path for path in paths if (output / path).is_file()]
