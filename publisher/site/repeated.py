"""Names and ids that stand twice in the archive, so that two things would be one."""

from publisher.model.problem import Problem
from publisher.preflight.catalogue import problem
from publisher.site.index import Index


def find_repeated(index: Index) -> list[Problem]:
    """Report files of one NAME, and ids that more than one place has."""
    return [*_repeated_slugs(index), *_repeated_ids(index)]


def _repeated_slugs(index: Index) -> list[Problem]:
    sql = "SELECT slug, MIN(path), MAX(path) FROM file GROUP BY slug HAVING COUNT(*) > 1"
    return [
        problem("slug-repeated", last, None, other=first, slug=slug)
        for slug, first, last in index.rows(sql)
    ]


def _repeated_ids(index: Index) -> list[Problem]:
    found = []
    for (id_,) in index.rows("SELECT id FROM repeated ORDER BY id"):
        sql = "SELECT path, line FROM ident WHERE id = ? ORDER BY path, line"
        holders = index.rows(sql, id_)
        if len(holders) < 2:
            index.run("DELETE FROM repeated WHERE id = ?", id_)
        for path, line in holders[1:]:
            slug = path.rpartition("/")[2].rpartition(".")[0]
            other = "{}, line {}".format(*holders[0])
            values = {"found": id_.strip(), "other": other, "slug": slug}
            found.append(problem("id-repeated", path, line, **values))
    return found
