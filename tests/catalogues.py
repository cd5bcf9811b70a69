"""The packaged catalogues of the interface's words."""

from pathlib import Path

from publisher.render.words import Catalogues
from publisher.site.scan import read_templates

CATALOGUES = Catalogues(read_templates(Path("no publication")))
