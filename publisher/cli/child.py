"""The entry of `run`'s child processes: `python -m publisher.cli.child ROLE CONFIG`."""

import sys
from pathlib import Path

from publisher.cli.output import prepare_streams, say
from publisher.cli.running import main_child
from publisher.errors import PublisherError


def main(role: str, config: Path) -> int:
    """Run a role; the exit status 2 says that starting it again would not help."""
    try:
        return main_child(role, config)
    except PublisherError as error:
        say(f"publisher: {role}: {error}")
        return error.exit_status


if __name__ == "__main__":
    prepare_streams()
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
