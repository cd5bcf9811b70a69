"""What the README of an export says."""

README = """\
# A publication, as `publisher export` wrote it

Everything here is in open formats, for another place or another program. `export.json` lists every
file with its size and SHA-256, every table with its columns, and what was left out.

`publisher init DIR --from THIS` makes a publication's folder of it again.

| what | format |
|---|---|
| `publisher.toml` | the settings (TOML 1.0) |
| `issues/` | the issues: Markdown with YAML front matter, YAML or JSON |
| `issues/*.jsonl` | what has been published, under which permanent ids: JSON, one object a line |
| `media/`, `templates/` | images and other files; Jinja2 templates of the publication's own |
| `feeds/` | the feeds as they were built last: Atom (RFC 4287), RSS 2.0, JSON Feed, OPML |
| `readers.csv` | readers with their status and their consent: CSV (RFC 4180), UTF-8 |
| `suppressions.csv` | addresses that nothing may be sent to; empty where not known any more |
| `data/*.jsonl` | the database's tables, one JSON object a line, in the order of their ids |

In `data/`, times are RFC 3339, and bytes are Base64. `delivery` is one mailing to one reader,
`ledger` what was done with each, `consent` the record of what each reader agreed to. `suppression`
knows addresses by a hash only: HMAC-SHA-256 of the address in its one spelling with the key
`address-key` of `export.json`, and of that the first 16 bytes. So an address that was erased is
still recognised, and never written to again.

Who has this folder has every reader's address: keep it as you keep them.
"""
