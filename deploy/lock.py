"""Pin what pyproject.toml asks for, by hash: `python -m deploy.lock UV [--upgrade]`."""

import subprocess
import sys
import tomllib
from pathlib import Path

LOCKS = Path("deploy/locks")


def main(uv: str, *options: str) -> int:
    """Write the locks; a pin that still fits stays, unless `--upgrade` is among `options`."""
    with open("pyproject.toml", "rb") as file:
        project = tomllib.load(file)
    LOCKS.mkdir(parents=True, exist_ok=True)
    _compile(uv, "runtime", ["pyproject.toml", *options])
    agreed = ["--constraint", str(LOCKS / "runtime.txt")]
    _compile(uv, "postgresql", ["pyproject.toml", "--extra", "postgresql", *agreed, *options])
    _compile(uv, "dev", ["pyproject.toml", "--extra", "dev", *agreed, *options])
    _compile(uv, "ship", ["--group", "ship", *options])
    _compile(uv, "build", ["-", *options], "\n".join(project["build-system"]["requires"]))
    return 0


def _compile(uv: str, name: str, words: list[str], requirements: str = "") -> None:
    least = "3.11"  # the oldest Python that pyproject.toml allows; the pins hold for all from there
    command = [
        *(uv, "pip", "compile", "--quiet", "--universal", "--python-version", least),
        *("--generate-hashes", "--no-annotate", "--custom-compile-command", "make lock"),
        *("--output-file", str(LOCKS / f"{name}.txt"), *words),
    ]
    done = subprocess.run(command, input=requirements, text=True, check=False)
    if done.returncode:
        sys.exit(f"{LOCKS / name}.txt was not written; is there a network with a package index?")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
