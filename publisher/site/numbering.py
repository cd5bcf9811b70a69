"""Issues' numbers against each other and against their dates."""

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.site.index import Index


def find_misnumbered(index: Index) -> list[Problem]:
    """Report numbers that two issues have, and numbers that run against the dates."""
    rows = index.rows(
        "SELECT path, slug, number FROM file WHERE is_live = 1 AND number IS NOT NULL"
        " ORDER BY moment, slug"
    )
    first: dict[int, str] = {}
    problems = []
    for path, slug, number in rows:
        other = first.setdefault(number, slug)
        if other != slug:
            problems.append(problem("number-repeated", path, 1, found=number, other=other))
    least, holder = float("inf"), ""  # among the issues dated later
    for path, slug, number in reversed(rows):
        if number > least:
            values = {"found": number, "other": holder, "number": least}
            problems.append(problem("date-out-of-order", path, 1, **values))
        else:
            least, holder = number, slug
    return problems
