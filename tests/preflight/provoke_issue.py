"""Provocations of the rules about an issue: its file, its fields, its words, its links."""

from collections.abc import Mapping

from publisher.intake.digest import read_digest
from publisher.intake.text import MAX_BYTES, decode
from publisher.model.problem import Problem
from tests.preflight.provocation import Provocation
from tests.preflight.samples import (
    PARAGRAPH,
    check_body,
    check_front,
    check_heading,
    check_text,
    markdown,
)


def _bytes(data: bytes) -> list[Problem]:
    return list(decode(data, "issues/2025-12-15.md")[1])


def _digest(text: str) -> list[Problem]:
    return list(read_digest(text, "paste.txt")[1])


def _image(attributes: str) -> list[Problem]:
    return check_heading(f"The night ferry {{#ferry {attributes}}}")


def _link(link: str) -> list[Problem]:
    return check_body(f"{PARAGRAPH} Read {link} about it.")


def _two(first: str, second: str) -> list[Problem]:
    """An issue of two highlights, each given by its heading and its text."""
    return check_text(f"{markdown(first)}\n## {second}\n")


def _many(count: int) -> list[Problem]:
    """An issue of so many highlights."""
    return check_text(
        markdown() + "".join(f"\n## H{n} {{#h{n}}}\n\nT{n}." for n in range(1, count))
    )


LONG = "A sentence of some length about the ferry. " * 60
SECOND = "Quite another one {#other}\n\nIts own text."
DIGEST = "Today:\n1. One\n2. Two\nOne\nText of one.\nTwo\nText of two.\n"
BIDI = "\u202eferry"

_FILE: Mapping[str, Provocation] = {
    "file-not-text": Provocation(lambda: _bytes(b"Caf\xe9"), lambda: _bytes("\ufeffCafé".encode())),
    "file-too-large": Provocation(
        lambda: _bytes(b"x" * (MAX_BYTES + 1)), lambda: _bytes(b"x" * MAX_BYTES)
    ),
    "slug-invalid": Provocation(
        lambda: check_text(markdown(), name="Today.md"),
        lambda: check_text(markdown(), name="today-2.md"),
    ),
    "control-characters": Provocation(
        lambda: check_body("A bell\x07 rings."), lambda: check_body("A tab\tis none.")
    ),
}

_FIELDS: Mapping[str, Provocation] = {
    "front-matter-unreadable": Provocation(
        lambda: check_front(title="The harbour: it wakes up"),
        lambda: check_front(title='"The harbour: it wakes up"'),
    ),
    "field-unknown": Provocation(
        lambda: check_front(sumary="All of it."), lambda: check_front(summary="All of it.")
    ),
    "field-repeated": Provocation(
        lambda: check_text(markdown().replace("title:", "title: Twice\ntitle:", 1)),
        lambda: check_text(markdown()),
    ),
    "field-invalid": Provocation(
        lambda: check_front(number="twelve"), lambda: check_front(number="12")
    ),
    "field-unreadable": Provocation(
        lambda: check_front(status="done"), lambda: check_front(status="draft")
    ),
    "date-missing": Provocation(
        lambda: check_text(markdown(date=""), name="harbour.md"),
        lambda: check_text(markdown(date=""), name="2025-12-15.md"),
    ),
    "date-without-offset": Provocation(
        lambda: check_front(date="2025-12-15T07:00:00"), lambda: check_front(date="2025-12-15")
    ),
    "date-unreadable": Provocation(
        lambda: check_front(date="15 December"), lambda: check_front(date="2025-12-15 07:00+08:00")
    ),
    "title-missing": Provocation(
        lambda: check_front(title=""),
        lambda: check_text(markdown(title="").replace("\n\n##", "\n\n# The harbour\n\n##", 1)),
    ),
    "highlights-missing": Provocation(
        lambda: check_text(markdown().replace("## ", "### ")), lambda: check_text(markdown())
    ),
    "body-missing": Provocation(lambda: check_body(""), lambda: check_body("- one\n- two")),
    "heading-attributes-invalid": Provocation(
        lambda: check_heading("The night ferry {#ferry sound}"),
        lambda: check_heading("The night ferry {#ferry .sound}"),
    ),
    "raw-html": Provocation(
        lambda: check_body("A <b>bold</b> word."), lambda: check_body("2 < 3 and `<b>` is code.")
    ),
}

_IDENTITY: Mapping[str, Provocation] = {
    "id-missing": Provocation(
        lambda: check_heading("The night ferry"), lambda: check_heading("The night ferry {#f1}")
    ),
    "id-invalid": Provocation(
        lambda: check_heading("The night ferry {#Ferry}"), lambda: check_front(id="0-1-a")
    ),
}

_DIGEST: Mapping[str, Provocation] = {
    "digest-empty": Provocation(lambda: _digest(" \n\n"), lambda: _digest(DIGEST)),
    "digest-list-missing": Provocation(
        lambda: _digest("Good morning.\n- One\n"), lambda: _digest(DIGEST)
    ),
    "digest-list-alone": Provocation(
        lambda: _digest("1. One\n2. Two\n"), lambda: _digest("1. One\nOne\nText.\n")
    ),
    "digest-title-empty": Provocation(
        lambda: _digest("1. One\n2.\n3. Two\nOne\nText.\nTwo\nText.\n"), lambda: _digest(DIGEST)
    ),
    "digest-title-repeated": Provocation(
        lambda: _digest("1. One\n2. Two\n3. One\nOne\nText.\nTwo\nText.\nOne\nText.\n"),
        lambda: _digest("1. One\n2. One more\nOne\nText.\nOne more\nText.\n"),
    ),
    "digest-title-unnumbered": Provocation(
        lambda: _digest("One\n2. Two\nTwo\nText.\nOne\nText.\n"),
        lambda: _digest("One:\n2. Two\nTwo\nText.\n"),
    ),
    "digest-section-missing": Provocation(
        lambda: _digest("1. One\n2. Two\nOne\nText.\n"),
        lambda: _digest("1. One\n2. Two\nONE\nText.\n2) Two\nText.\n"),
    ),
    "digest-section-repeated": Provocation(
        lambda: _digest("1. One\n2. Two\nOne\nText.\nTwo\nText.\nOne\nText.\n"),
        lambda: _digest(DIGEST),
    ),
    "digest-body-missing": Provocation(
        lambda: _digest("1. One\n2. Two\nOne\nTwo\nText.\n"), lambda: _digest(DIGEST)
    ),
    "digest-title-without-colon": Provocation(
        lambda: _digest(DIGEST.replace("Today:", "Today")), lambda: _digest(DIGEST)
    ),
    "digest-introduction": Provocation(
        lambda: _digest(DIGEST.replace("One\nText", "A word before.\nOne\nText", 1)),
        lambda: _digest(DIGEST),
    ),
    "digest-order": Provocation(
        lambda: _digest("1. One\n2. Two\nTwo\nText.\nOne\nText.\n"), lambda: _digest(DIGEST)
    ),
    "digest-numbers": Provocation(
        lambda: _digest(DIGEST.replace("2. Two", "3. Two")),
        lambda: _digest(DIGEST.replace("2. Two", "1. Two")),
    ),
    "digest-hard-wrapped": Provocation(
        lambda: _digest(
            "1. One\nOne\nThe museum of night ferries opened on Monday with a ceremony at the old\n"
            "pier, where a small band had been waiting.\n"
        ),
        lambda: _digest("1. One\nOne\nShort lines\nof a song.\n"),
    ),
}

_IMAGES: Mapping[str, Provocation] = {
    "image-alt-missing": Provocation(
        lambda: _image('image="media/harbour.jpg"'),
        lambda: _image('image="media/harbour.jpg" alt=""'),
    ),
    "image-alt-filename": Provocation(
        lambda: check_body("![IMG_2041.JPG](media/harbour.jpg)"),
        lambda: check_body("![The first photo of 1839](media/harbour.jpg)"),
    ),
    "image-outside-media": Provocation(
        lambda: check_body("![Lights](harbour.jpg)"),
        lambda: check_body("![Lights](/media/harbour.jpg)"),
    ),
    "image-size-unknown": Provocation(
        lambda: check_body("![Lights](https://source.example/a.jpg)"),
        lambda: _image('image="https://source.example/a.jpg" alt="Lights" width="9" height="9"'),
    ),
    "image-format-unsupported": Provocation(
        lambda: _image('image="https://source.example/a.tiff" alt="Lights"'),
        lambda: _image('image="https://source.example/a.png" alt="Lights"'),
    ),
    "media-missing": Provocation(
        lambda: check_body("[The report](media/raport.pdf)"),
        lambda: check_body("[The report](media/report.pdf) ![Me](<media/My Photo.png>)"),
    ),
}

_CONTENT: Mapping[str, Provocation] = {
    "heading-jump": Provocation(
        lambda: check_body("### One\n\nText.\n\n##### Two\n\nText."),
        lambda: check_body("### One\n\n#### Two\n\n### Three\n\nText."),
    ),
    "heading-too-high": Provocation(
        lambda: check_body("# One\n\nText."), lambda: check_body("### One\n\n> # Quoted\n\nText.")
    ),
    "placeholder-left": Provocation(
        lambda: check_body("The mayor, TK, was there."),
        lambda: check_body(
            "Flight TK 1951, TK Maxx, XXXL, `{{ x }}`, a to-do, [his] words, 张TK说。"
        ),
    ),
    "title-too-long": Provocation(
        lambda: check_heading("The long title " * 11 + "{#f}"),
        lambda: check_heading("A ferry is late " * 9 + "{#f}"),
    ),
    "title-shouting": Provocation(
        lambda: check_heading("THE NIGHT FERRY WAKES UP {#f}"),
        lambda: check_heading("NASA, ESA {#f}"),
    ),
    "title-repeated": Provocation(
        lambda: _two(PARAGRAPH, "The Night  Ferry {#other}\n\nIts own text."),
        lambda: _two(PARAGRAPH, SECOND),
    ),
    "source-repeated": Provocation(
        lambda: check_text(
            markdown(heading="[One](https://a.example/x) {#f}")
            + "\n## [Two](https://a.example/x) {#g}\n\nIts own text.\n"
        ),
        lambda: check_text(
            markdown(heading="[One](https://a.example/x) {#f}")
            + "\n## [Two](https://a.example/y) {#g}\n\nIts own text.\n"
        ),
    ),
    "paragraph-repeated": Provocation(
        lambda: _two(f"{PARAGRAPH} And again.", f"Another {{#other}}\n\n{PARAGRAPH} And again."),
        lambda: _two("Read the report.", "Another {#other}\n\nRead the report."),
    ),
    "paragraph-long": Provocation(
        lambda: check_body(LONG), lambda: check_body(LONG[:1200] + "\n\n" + LONG[1200:])
    ),
    "quote-unclosed": Provocation(
        lambda: check_body('She said: "The "Night Ferry" brand is new.'),
        lambda: check_body("She said: \"A 5'10\" man in '90s clothes.\" It's “his” words."),
    ),
    "summary-too-long": Provocation(
        lambda: check_front(summary="A word or two. " * 14),
        lambda: check_front(summary="A word or two. " * 13),
    ),
    "highlights-many": Provocation(lambda: _many(26), lambda: _many(25)),
    "language-mismatch": Provocation(
        lambda: check_body("港口的夜班渡轮从星期一开始每天早上七点出发。"),
        lambda: check_body("The film 港口的夜 (The Night of the Harbour) opens in 海口 on Monday."),
    ),
    "author-address-invalid": Provocation(
        lambda: check_front(authors="Ann <ann at a@a.example>"),
        lambda: check_front(authors="Ann <ann@a.example>"),
    ),
    "guid-invalid": Provocation(
        lambda: check_heading('The ferry {#f guid="https://old.example/a b"}'),
        lambda: check_heading('The ferry {#f guid="https://old.example/?p=12"}'),
    ),
    "text-garbled": Provocation(
        lambda: check_body("The harbourâ€™s cafÃ©"),
        lambda: check_body("SÃO PAULO, Âme, R&D; naïve"),
    ),
    "direction-unbalanced": Provocation(
        lambda: check_heading(f"The night {BIDI} {{#f}}"),
        lambda: check_heading("The night \u2068ferry\u2069\u200f {#f}"),
    ),
}

_LINKS: Mapping[str, Provocation] = {
    "url-malformed": Provocation(
        lambda: _link("[the paper](https:///path)"),
        lambda: _link("[the paper](https://[2001:db8::1]:8080/a_(b)?q=1&r=ü#x)"),
    ),
    "url-javascript": Provocation(
        lambda: _link("[the paper](JaVaScript:alert(1))"),
        lambda: _link("[the paper](https://a.example/javascript:1)"),
    ),
    "url-scheme-refused": Provocation(
        lambda: _link("[the desk](tel:+86123)"), lambda: _link("[the desk](mailto:desk@a.example)")
    ),
    "url-cid": Provocation(
        lambda: check_body("![Lights](cid:image001.png@01D9)"),
        lambda: check_body("![Lights](media/harbour.jpg)"),
    ),
    "url-file": Provocation(
        lambda: _link(r"[the paper](file:///C:/paper.pdf)"),
        lambda: _link("[the paper](https://a.example/file:x)"),
    ),
    "url-relative": Provocation(
        lambda: _link("[the paper](paper.html)"),
        lambda: _link("[the paper](media/report.pdf) and [it](#ferry)"),
    ),
    "url-http": Provocation(
        lambda: _link("[the paper](http://a.example/)"),
        lambda: _link("[the paper](https://a.example/http://b.example)"),
    ),
    "url-private": Provocation(
        lambda: _link("[the draft](http://192.168.1.7/wp-admin)"),
        lambda: _link("[the paper](https://8.8.8.8/) of [localhost](https://localhost.example/)"),
    ),
    "url-credentials": Provocation(
        lambda: _link("[the paper](https://ann:secret@a.example/)"),
        lambda: _link("[the paper](https://a.example/@ann)"),
    ),
    "url-escape-invalid": Provocation(
        lambda: _link("[the paper](https://a.example/100%)"),
        lambda: _link("[the paper](https://a.example/100%25)"),
    ),
    "anchor-missing": Provocation(
        lambda: _link("[the boat](#fery)"),
        lambda: _link("[the boat](#ferry) [it](/issues/2025-12-15/#ferry)"),
    ),
    "link-empty": Provocation(
        lambda: _link("[](https://a.example/)"),
        lambda: _link("[![Lights](media/harbour.jpg)](https://a.example/)"),
    ),
    "link-deceptive": Provocation(
        lambda: _link("[www.bank.example](https://evil.example/)"),
        lambda: _link("[Booking.com](https://a.example/) <https://b.example/x>"),
    ),
    "link-vague": Provocation(
        lambda: _link("[click here](https://a.example/)"),
        lambda: _link("[here is the whole paper](https://a.example/)"),
    ),
}

ISSUE_PROVOCATIONS: Mapping[str, Provocation] = {
    **_FILE,
    **_FIELDS,
    **_IDENTITY,
    **_DIGEST,
    **_IMAGES,
    **_CONTENT,
    **_LINKS,
}
