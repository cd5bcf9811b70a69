"""The catalogue: every diagnostic by name, with its message, reason, remedy and reference.

`docs/rules.md` is made from it (`make rules`), and a test fails when a rule is never provoked.
"""

from typing import Any

import msgspec

from publisher.model.problem import Level, Problem


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One named diagnostic. `message` and `fix` are format strings; `reference` is a URL or RFC."""

    name: str
    level: Level
    message: str
    fix: str
    reason: str
    reference: str = ""


def problem(
    name: str, file: str | None = None, line: int | None = None, /, **values: Any
) -> Problem:
    """Make a problem of the named rule, its words filled in from `values`."""
    rule = RULES[name]
    return Problem(
        rule=rule.name,
        level=rule.level,
        file=file,
        line=line,
        message=rule.message.format(**values),
        fix=rule.fix.format(**values),
    )


def _by_name(*groups: tuple[Rule, ...]) -> dict[str, Rule]:
    return {rule.name: rule for group in groups for rule in group}


_FILE = (
    Rule(
        name="file-not-text",
        level="error",
        message="this is not UTF-8 text: {found}",
        fix="save the file as plain text in UTF-8",
        reason="An issue in an unknown encoding would show wrong characters to every reader.",
        reference="https://www.rfc-editor.org/rfc/rfc3629",
    ),
    Rule(
        name="file-too-large",
        level="error",
        message="the file has {found} bytes, more than an issue may have ({limit})",
        fix="split it into several issues, and put images into media/",
        reason="A file of this size is an accident, and no client would show what came of it.",
    ),
    Rule(
        name="file-unreadable",
        level="error",
        message="the file cannot be read: {found}",
        fix="make it a regular file inside the issues folder that this account may read",
        reason="A link that leads out of the folder could publish a file that was never meant to be.",
    ),
    Rule(
        name="slug-invalid",
        level="error",
        message="the file's name {found!r} cannot be an issue's address",
        fix="use lower-case letters a-z, digits and hyphens, at most 64, for example 2025-12-15.md",
        reason="The name is part of the issue's URL.",
    ),
    Rule(
        name="slug-repeated",
        level="error",
        message="{other} has the same name, so both would be the page {slug}",
        fix="rename one of the two files",
        reason="Two files of one name would overwrite each other's pages.",
    ),
    Rule(
        name="control-characters",
        level="warning",
        message="{count} control characters were dropped ({found})",
        fix="remove them from the file",
        reason="XML forbids them (section 2.2), and one of them makes a whole feed unreadable.",
        reference="https://www.w3.org/TR/xml/#charsets",
    ),
)

_FIELDS = (
    Rule(
        name="front-matter-unreadable",
        level="error",
        message="the fields cannot be read: {found}",
        fix="write one `key: value` on each line; put a value with `: ` or `#` in it in quotes",
        reason="Without its fields an issue has no date, no status and no identity.",
        reference="https://yaml.org/spec/1.2.2/",
    ),
    Rule(
        name="field-unknown",
        level="warning",
        message="the field {found!r} is unknown{hint}",
        fix="use one of {known}",
        reason="A misspelt field is silently without effect, which is found out after sending.",
    ),
    Rule(
        name="field-repeated",
        level="error",
        message="the field {found!r} stands here a second time",
        fix="keep one of them",
        reason="Which of the two is meant cannot be told.",
    ),
    Rule(
        name="field-invalid",
        level="warning",
        message="{field} is {found!r} and was left out",
        fix="write {right}",
        reason="The field is of no use as it stands.",
    ),
    Rule(
        name="field-unreadable",
        level="error",
        message="{field} is {found!r}",
        fix="write {right}",
        reason="This field decides whether and how an issue is published; guessing is too risky.",
    ),
    Rule(
        name="date-missing",
        level="error",
        message="there is no date",
        fix="add for example `date: 2025-12-15T07:00:00+08:00`, or name the file after its day",
        reason="The date decides when the issue is published and where it stands in the archive.",
        reference="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    ),
    Rule(
        name="date-without-offset",
        level="warning",
        message="the date {found!r} has no offset; the publication's time zone was assumed",
        fix="write {right}",
        reason="The same words are another instant elsewhere.",
        reference="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    ),
    Rule(
        name="date-unreadable",
        level="error",
        message="the date {found!r} cannot be read",
        fix="write it like 2025-12-15T07:00:00+08:00",
        reason="The date decides when the issue is published and where it stands in the archive.",
        reference="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    ),
    Rule(
        name="title-missing",
        level="warning",
        message="{what} has no title",
        fix="write one: it is the subject line, the heading and the name in feed readers",
        reason="Without a title, readers see the publication's name or nothing.",
    ),
    Rule(
        name="highlights-missing",
        level="warning",
        message="the issue has no highlights",
        fix="start each highlight with a line `## Its title`",
        reason="The feed of highlights would gain nothing from this issue.",
    ),
    Rule(
        name="body-missing",
        level="warning",
        message="the highlight {title!r} has no text",
        fix="write a paragraph below its title",
        reason="Its section in the message and its page would be empty.",
    ),
    Rule(
        name="heading-attributes-invalid",
        level="warning",
        message="{found!r} in the braces after the title is not understood and was left out",
        fix='write them like {{#its-id .tag source="Name" language="zh"}}',
        reason="A misspelt attribute is silently without effect.",
    ),
    Rule(
        name="raw-html",
        level="warning",
        message="{found} is shown as text, not used as HTML",
        fix="write it in Markdown, or put a backslash before `<` if the characters are meant",
        reason="HTML from issues would break the message in some client, or carry a script.",
    ),
)

_IDENTITY = (
    Rule(
        name="id-missing",
        level="error",
        message="{what} has no id",
        fix="run `publisher ids {slug}`, which writes one into the file",
        reason="Feed readers know an entry by its id alone; it must exist before the first reader.",
        reference="https://www.rfc-editor.org/rfc/rfc4287#section-4.2.6",
    ),
    Rule(
        name="id-invalid",
        level="error",
        message="the id {found!r} cannot be used",
        fix="use a-z, 0-9 and hyphens, at most 64, not starting with a hyphen",
        reason="The id is part of an entry's permanent identity and of its URL.",
        reference="https://www.rfc-editor.org/rfc/rfc4151",
    ),
    Rule(
        name="id-repeated",
        level="error",
        message="the id {found!r} is already used in {other}",
        fix="if the file is a copy, run `publisher ids {slug} --fresh`; else remove one of the two",
        reason="Two entries of one id are one entry to a reader: one of them would never be seen.",
        reference="https://www.rfc-editor.org/rfc/rfc4287#section-4.2.6",
    ),
)

RULES: dict[str, Rule] = _by_name(_FILE, _FIELDS, _IDENTITY)
