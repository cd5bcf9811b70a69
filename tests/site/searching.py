"""How tests ask what a build made searchable: on the server, and in the site's own files."""

import json
import sqlite3
from contextlib import closing

from publisher.render.query import parse_query
from publisher.site.job import search_path
from publisher.site.search_index import Found, find
from tests.site.world import World


def search(world: World, text: str, page: int = 1, size: int = 10) -> Found:
    return find(search_path(world.folder, world.public), parse_query(text), page, size)


def found(world: World, text: str) -> list[str]:
    """The ids of what the server finds, best first; an issue's own is its NAME with a slash."""
    return [hit.row.id or f"{hit.slug}/" for hit in search(world, text, size=100).hits]


def everything(world: World) -> list[tuple[object, ...]]:
    """All that the server can find, in an order of its own."""
    with closing(sqlite3.connect(search_path(world.folder, world.public))) as db:
        db.execute("INSERT INTO term (term) VALUES ('integrity-check')")
        db.rollback()
        sql = (
            "SELECT slug, moment, day, row, title, labels, text FROM entry JOIN term"
            " ON term.rowid = number ORDER BY moment, slug, number"
        )
        return db.execute(sql).fetchall()


def indexed(world: World) -> dict[int, list[str]]:
    """The ids in the static index, by year."""
    years = json.loads(world.read("search/index.json"))["years"]
    return {year: _ids(world, year) for year in years}


def _ids(world: World, year: int) -> list[str]:
    issues = json.loads(world.read(f"search/{year}.json"))["issues"]
    return [row[0] or f"{issue['name']}/" for issue in issues for row in issue["rows"]]
