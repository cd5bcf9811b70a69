"""Ask for known vulnerabilities of what is pinned: `python -m deploy.audit PIP_AUDIT`.

It needs a network with a database of vulnerabilities, and says so where there is none: to find
nothing and to have asked nobody are two things. Exit status: 0 none known, 1 some, 2 nobody asked.
"""

import json
import subprocess
import sys
from tempfile import NamedTemporaryFile

_NOBODY = "Nothing was audited: nobody answered who knows of vulnerabilities. Is there a network?"
LOCKS = ("deploy/locks/runtime.txt", "deploy/locks/dev.txt")


def main(pip_audit: str, *locks: str) -> int:
    with NamedTemporaryFile(suffix=".json") as answer:
        asked = [word for lock in locks or LOCKS for word in ("-r", lock)]
        options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off"]
        output = ["--format", "json", "--output", answer.name]
        done = subprocess.run(
            [pip_audit, *options, *output, *asked], capture_output=True, text=True, check=False
        )
        text = answer.read()
    if not text:
        sys.stderr.write(f"{done.stderr.strip()[-600:]}\n{_NOBODY}\n")
        return 2
    return _report(json.loads(text)["dependencies"])


def _report(packages: list[dict[str, object]]) -> int:
    skipped = [package for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        sys.stderr.write(f"{_NOBODY}\n")
        return 2
    for package in skipped:
        print(f"{package['name']} was not looked up: {package['skip_reason']}")
    found = [package for package in packages if package.get("vulns")]
    for package in found:
        for each in package["vulns"]:  # type: ignore[attr-defined]
            mended = ", ".join(each["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {each['id']}; mended in {mended}")
    print(f"{len(packages) - len(skipped)} packages looked up, {len(found)} with vulnerabilities.")
    return 1 if found else 2 if skipped else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
