"""A publication served for a test alone, and one that tests only look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.public.site import Site, run_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with run_site(tmp_path) as site:
        yield site


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that nobody changes, with a reader, and secrets beside public/."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "publisher.toml").write_text("SECRET")
    (folder / "publisher.toml.html").write_text("SECRET")
    (folder / "public-not").mkdir()
    (folder / "public-not" / "index.html").write_text("SECRET")
    with run_site(folder) as site:
        site.write("index.html")
        site.write("issues/2025-12-15/index.html", b"<title>Issue</title>")
        site.write("issues/2025-12-15/email.html", b"<title>Message</title>")
        site.write(".secret", b"SECRET")
        site.write(".well/index.html", b"SECRET")
        site.write("media/.hidden/a.txt", b"SECRET")
        (site.public / "media" / "out").symlink_to(folder)
        (site.public / "media" / "out.txt").symlink_to(folder / "publisher.toml")
        (site.public / "issues" / "a:b").mkdir()
        site.write("issues/a:b/index.html")
        site.write("media/电影 50%.png", b"png")
        site.add("anna@daily.example")
        yield site
