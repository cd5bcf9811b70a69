"""Rules about the archive as a whole; what finds them is in publisher/site."""

from publisher.preflight.rules.rule import Rule

ARCHIVE = (
    Rule(
        name="number-repeated",
        level="warning",
        message="the number {found} is already that of {other}",
        fix="count on from the newest issue",
        reason="Readers and libraries ask for an issue by its number.",
    ),
    Rule(
        name="date-out-of-order",
        level="warning",
        message="number {found} is dated before {other}, which is number {number}",
        fix="correct the number or the date",
        reason="The archive is ordered by dates: the numbers would run backwards in it.",
    ),
    Rule(
        name="published-vanished",
        level="error",
        message="{what} was published and is no longer in any file",
        fix="put it back, or take it back for good with `publisher withdraw {id}`",
        reason="Its address is in readers' mail and feeds; it must not lead nowhere by accident.",
        reference="https://www.w3.org/Provider/Style/URI",
    ),
    Rule(
        name="published-draft",
        level="error",
        message="{what} was published, and this file is a draft again",
        fix="write `status: ready`, or take it back for good with `publisher withdraw {id}`",
        reason="Its address is in readers' mail and feeds; it must not lead nowhere by accident.",
        reference="https://www.w3.org/Provider/Style/URI",
    ),
    Rule(
        name="published-changed",
        level="info",
        message="{slug} was changed since it was published: {what}",
        fix='say why, if readers should know: `publisher correct {slug} --note "what was wrong"`',
        reason="Readers were told something else; a note says openly what was mended.",
        reference="https://schema.org/correction",
    ),
    Rule(
        name="publication-id-changed",
        level="warning",
        message="publication.id is {found}, but the register was begun as {before}",
        fix="put {before} back: it is permanent, whatever becomes of the site's address",
        reason="Every entry's identity begins with it: readers would see each of them again.",
        reference="https://www.rfc-editor.org/rfc/rfc4287#section-4.2.6",
    ),
    Rule(
        name="withdrawn-used",
        level="warning",
        message="the id {found!r} was withdrawn; what has it now is not published",
        fix="run `publisher ids {slug} --fresh` if it is new, or remove it",
        reason="A withdrawn id is never used again: its address says that it is gone.",
        reference="https://www.rfc-editor.org/rfc/rfc9110#section-15.5.11",
    ),
    Rule(
        name="register-unreadable",
        level="error",
        message="this line cannot be read",
        fix="restore {path} from version control",
        reason="Without it entries would get new dates, or what was changed in them be forgotten.",
    ),
    Rule(
        name="template-broken",
        level="error",
        message="the template cannot be used: {found}",
        fix="correct it, or remove it to use the packaged one",
        reason="Nothing that is made with it can be made.",
        reference="https://jinja.palletsprojects.com/en/stable/templates/",
    ),
    Rule(
        name="media-unreadable",
        level="warning",
        message="the file is not published: {found}",
        fix="make it a regular file that this account may read, in a format that has no scripts",
        reason="It is not published, and what links to it gets nothing.",
    ),
)
