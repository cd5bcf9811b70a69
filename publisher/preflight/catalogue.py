"""The catalogue: every diagnostic by name, with its message, reason, remedy and reference.

`docs/rules.md` is made from it (`make rules`), and a test fails when a rule is never provoked.
"""

from typing import Any

from publisher.model.problem import Problem
from publisher.preflight.rules.archive import ARCHIVE as _ARCHIVE
from publisher.preflight.rules.content import CONTENT as _CONTENT
from publisher.preflight.rules.feed import FEED as _FEED
from publisher.preflight.rules.links import LINKS as _LINKS
from publisher.preflight.rules.message import MESSAGE as _MESSAGE
from publisher.preflight.rules.moving import MOVING as _MOVING
from publisher.preflight.rules.page import PAGE as _PAGE
from publisher.preflight.rules.publication import PUBLICATION as _PUBLICATION
from publisher.preflight.rules.rule import Rule

__all__ = ["GROUPS", "RULES", "Rule", "problem"]


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
        reason="A link out of the folder could publish a file that was never meant to be.",
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

_DIGEST = (
    Rule(
        name="digest-empty",
        level="error",
        message="the file has no text",
        fix="paste the digest into it: a numbered list of titles, then each title with its text",
        reason="There is nothing to publish; most often the wrong file was saved.",
    ),
    Rule(
        name="digest-list-missing",
        level="error",
        message="there is no numbered list of titles; the text begins with {found!r}",
        fix="begin with the highlights' titles, one a line: `1. First title`, `2. Second title`",
        reason="Only the list says which lines are titles and which are paragraphs.",
    ),
    Rule(
        name="digest-list-alone",
        level="error",
        message="nothing stands below the list (titles: {count})",
        fix="below the list, write each title on a line of its own and its paragraphs under it",
        reason="The highlights would have no text; most often only part of the digest was copied.",
    ),
    Rule(
        name="digest-title-empty",
        level="error",
        message="the list's number {count} has no title",
        fix="write the title behind the number, or delete the line",
        reason="A highlight's title is its link, its heading and its name in feed readers.",
    ),
    Rule(
        name="digest-title-repeated",
        level="error",
        message="the title {title!r} is listed a second time; it already stands on line {other}",
        fix="delete one of the two, or make the titles differ",
        reason="Which paragraphs belong to which of the two cannot be told.",
    ),
    Rule(
        name="digest-title-unnumbered",
        level="error",
        message="{title!r} stands beside the list and again on line {other}, like a title",
        fix="put a number before it if it belongs to the list, or delete one of the two lines",
        reason="Its paragraphs would be taken for another highlight's.",
    ),
    Rule(
        name="digest-section-missing",
        level="error",
        message="the listed title {title!r} has no section{near}",
        fix="above this highlight's paragraphs, repeat the title as the list has it",
        reason="Its paragraphs would be lost, or be taken for another highlight's.",
    ),
    Rule(
        name="digest-section-repeated",
        level="error",
        message="the section {title!r} begins a second time; the first begins on line {other}",
        fix="put the paragraphs below one title; reword the line if it is a paragraph",
        reason="A highlight is one section; two may be two versions of the same text.",
    ),
    Rule(
        name="digest-body-missing",
        level="error",
        message="the section {title!r} has no paragraphs",
        fix="write them below the title, or take the title out of the list and the text",
        reason="The highlight would be a title without a text.",
    ),
    Rule(
        name="digest-title-without-colon",
        level="warning",
        message="{title!r} was taken for the issue's title, though it does not end in a colon",
        fix="put a colon at its end, or delete the line if it is no title",
        reason="A line before the list may also be a greeting or a stray remark.",
    ),
    Rule(
        name="digest-introduction",
        level="warning",
        message="text outside the sections became the introduction: {found!r} (lines: {count})",
        fix="if they are not meant as an introduction, move them below a title or delete them",
        reason="It may be a title that is spelled differently in the list, or a stray remark.",
    ),
    Rule(
        name="digest-order",
        level="warning",
        message="the section {title!r} stands below {other!r}; the list has it above",
        fix="nothing, if the list's order is right: it is the one that was used",
        reason="Readers see the highlights in the list's order.",
    ),
    Rule(
        name="digest-numbers",
        level="warning",
        message="the list counts {found}",
        fix="check that no title is missing",
        reason="A gap in the numbers may be a title that was lost in copying.",
    ),
    Rule(
        name="digest-hard-wrapped",
        level="warning",
        message="{count} lines seem to end in the middle of a sentence, the first of them here",
        fix="join the lines of each paragraph; copy from the document, not from an e-mail",
        reason="Each line is a paragraph of its own, so a broken one becomes several.",
    ),
)

# What the rules look at, in the order of the work, and as docs/rules.md is divided.
GROUPS: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("An issue's file", _FILE),
    ("An issue's fields", _FIELDS),
    ("Identity", _IDENTITY),
    ("A pasted digest", _DIGEST),
    ("What is imported", _MOVING),
    ("Words and images", _CONTENT),
    ("Links", _LINKS),
    ("The message", _MESSAGE),
    ("Feeds", _FEED),
    ("Pages", _PAGE),
    ("The publication", _PUBLICATION),
    ("The archive", _ARCHIVE),
)

RULES: dict[str, Rule] = _by_name(*(rules for _, rules in GROUPS))
