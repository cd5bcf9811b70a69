"""What an installation consists of, as CycloneDX: `python -m deploy.sbom CYCLONEDX FOLDER`.

It is read off a real installation, a clean environment with what the lock pins, so that it has
licences and who needs whom.
"""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from publisher import __version__

_LOCK = "deploy/locks/runtime.txt"


def install(folder: Path, what: Sequence[str]) -> Path:
    """Make an environment with what the lock pins and `what`, without a look elsewhere.

    Gives its Python. Exits with a message where packages cannot be fetched.
    """
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    fetched = subprocess.run([*pip, "--require-hashes", "-r", _LOCK], check=False)
    if fetched.returncode:
        sys.exit(f"what {_LOCK} names could not be fetched; is there a network?")
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--no-index", *what], check=True)
    return python


def write_sbom(cyclonedx: str, python: Path, project: Path, target: Path) -> None:
    """Write what the environment of a project (its pyproject.toml) has; always the same bytes."""
    command = [cyclonedx, "environment", "--pyproject", str(project), "--output-reproducible"]
    subprocess.run([*command, "--of", "JSON", "-o", str(target), str(python)], check=True)


def main(cyclonedx: str, folder: str) -> int:
    target = Path(folder) / f"publisher-{__version__}.cdx.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        python = install(Path(scratch) / "environment", ["."])
        write_sbom(cyclonedx, python, Path("pyproject.toml"), target)
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
