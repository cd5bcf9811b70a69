"""The documentation as a site of plain files: `make docs`.

Its pages are docs/*.md, the README, the changelog, and what is read off the code. There are no
scripts, no fonts and nothing from elsewhere; links are checked as they stand in what was written.
"""
