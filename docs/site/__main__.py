"""`python -m docs.site FOLDER`: write the site; exit status 1 where a link leads nowhere."""

import sys
from pathlib import Path

from docs.site.build import build
from docs.site.links import find_broken


def main(folder: str) -> int:
    target = Path(folder)
    pages = build(Path.cwd(), target)
    broken = find_broken(target)
    for line in broken:
        print(line, file=sys.stderr)
    print(f"{pages} pages in {target}, {len(broken)} broken links")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
