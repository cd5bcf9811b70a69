"""The entry of `run`'s child processes: `python -m publisher.cli.child ROLE CONFIG LOG-FORMAT`.

One of several publications' has its name behind them.
"""

import sys
from pathlib import Path

from publisher.cli.output import prepare_streams
from publisher.cli.running import main_child
from publisher.errors import PublisherError
from publisher.runtime.log import Line, LogFormat, describe_defect, speak_for, tell_as


def main(role: str, config: Path, form: LogFormat) -> int:
    """Run a role; the exit status 2 says that starting it again would not help."""
    tell = tell_as(role, form)
    try:
        return main_child(role, config, form)
    except PublisherError as error:
        tell(Line(str(error), "failed", "error"))
        return error.exit_status
    except Exception as error:  # a traceback would quote whom it was about
        tell(describe_defect(error))
        return 1


if __name__ == "__main__":
    prepare_streams()
    speak_for(*sys.argv[4:5] or [""])
    is_json = sys.argv[3:4] == ["json"]
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), "json" if is_json else "text"))
