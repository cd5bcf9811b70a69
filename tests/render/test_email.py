"""The message's HTML: its structure, its budget, its slots, and hostile content."""

import re
from itertools import pairwise

import msgspec
import pytest
from jinja2 import Environment
from lxml import html as lxml_html

from publisher.model import content as c
from publisher.model.issue import Highlight, Image, Issue
from publisher.render.email import (
    UNSUBSCRIBE_SLOT,
    RenderedMessage,
    fill_slots,
    render_message,
)
from publisher.render.views import Setting

from ..conftest import Golden

STYLES = re.compile(r"<style.*?</style>", re.DOTALL)
LEAVE = "https://daily.example/#leave"


@pytest.fixture
def message(english: Issue, setting: Setting, templates: Environment) -> RenderedMessage:
    return render_message(english, setting, templates)


@pytest.fixture
def tree(message: RenderedMessage) -> lxml_html.HtmlElement:
    return lxml_html.document_fromstring(message.html)


@pytest.mark.parametrize("language", ["english", "chinese", "arabic"])
def test_golden(
    language: str,
    request: pytest.FixtureRequest,
    setting: Setting,
    templates: Environment,
    golden: Golden,
) -> None:
    message = render_message(request.getfixturevalue(language), setting, templates)
    golden(f"email/{language}.html", fill_slots(message.html, LEAVE))
    golden(f"email/{language}.txt", fill_slots(message.text, LEAVE))


def test_the_same_issue_gives_the_same_message(
    english: Issue, message: RenderedMessage, setting: Setting, templates: Environment
) -> None:
    assert render_message(english, setting, templates) == message


# The document


def test_the_document_says_its_type_language_and_direction(
    message: RenderedMessage, tree: lxml_html.HtmlElement
) -> None:
    assert message.html.startswith("<!DOCTYPE html>\n<html ")
    assert (tree.get("lang"), tree.get("dir")) == ("en", "ltr")
    assert tree.findtext(".//title") == message.subject


def test_an_article_wraps_everything_and_says_what_it_is(tree: lxml_html.HtmlElement) -> None:
    (article,) = tree.xpath("//*[@role='article']")
    assert article.getparent().tag == "body"
    assert len(article.getparent()) == 1
    assert article.get("aria-roledescription")
    assert article.get("aria-label") == "Lanterns over the harbour"
    assert (article.get("lang"), article.get("dir")) == ("en", "ltr")


def test_color_schemes_are_declared(message: RenderedMessage, tree: lxml_html.HtmlElement) -> None:
    for name in ("color-scheme", "supported-color-schemes"):
        assert tree.xpath(f"//meta[@name='{name}']/@content") == ["light dark"]
    assert "color-scheme: light dark" in message.html


def test_layout_tables_are_presentation_and_data_tables_are_not(
    message: RenderedMessage, tree: lxml_html.HtmlElement
) -> None:
    for table in tree.iter("table"):
        is_data = table.find("thead") is not None
        assert table.get("role") == (None if is_data else "presentation")
        if not is_data:
            assert [table.get(x) for x in ("cellpadding", "cellspacing", "border")] == ["0"] * 3
    assert tree.xpath("//table/thead/tr/th[@scope='col']")
    hidden = re.findall(r"<!--\[if mso\]>(<table.*?)<!\[endif\]-->", message.html)
    assert hidden
    assert all('role="presentation"' in table and 'width="600"' in table for table in hidden)


def test_outlooks_conditionals_are_balanced(message: RenderedMessage) -> None:
    ghosts = "".join(re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", message.html, re.DOTALL))
    for tag in ("table", "tr", "td", "xml", "style"):
        assert len(re.findall(rf"<{tag}\b", ghosts)) == ghosts.count(f"</{tag}>") > 0


def test_the_layout_is_600_wide_at_most_without_any_style_block(
    message: RenderedMessage,
) -> None:
    bare = lxml_html.document_fromstring(STYLES.sub("", message.html))
    assert [x for x in bare.iter("div") if "max-width:600px" in x.get("style", "")]
    widths = [int(w) for w in bare.xpath("//*/@width") if w.isdigit()]
    assert max(widths) <= 600
    cells = [cell for cell in bare.iter("td") if cell.get("class", "").split()[:1] == ["section"]]
    assert len(cells) == 5
    for cell in cells:
        style = cell.get("style")
        assert all(
            x in style for x in ("padding:", "font-family:", "color:", "mso-line-height-rule")
        )


@pytest.mark.parametrize(
    "banned", ["flex", "grid", "float", "position", "background-image", "url("]
)
def test_nothing_outlook_cannot_do_is_in_a_style(
    banned: str, message: RenderedMessage, tree: lxml_html.HtmlElement
) -> None:
    assert not [style for style in tree.xpath("//@style") if banned in style]
    assert banned not in "".join(tree.xpath("//style/text()"))


def test_style_blocks_are_small_and_not_nested(tree: lxml_html.HtmlElement) -> None:
    blocks = tree.xpath("//style/text()")
    assert sum(len(block.encode()) for block in blocks) <= 16 * 1024
    for block in blocks:
        depth = 0
        for match in re.finditer(r"@[a-z-]+|[{}]", block):
            assert not (match[0].startswith("@") and depth), "an at-rule within another"
            depth += {"{": 1, "}": -1}.get(match[0], 0)
        assert depth == 0
    # Gmail drops a whole block for what it does not know; attribute selectors stand apart.
    assert not any("@media" in block and "[data-" in block for block in blocks)
    assert any("prefers-color-scheme: dark" in block for block in blocks)
    assert any("[data-ogsc]" in block and "[data-ogsb]" in block for block in blocks)


def test_the_preheader_is_made_of_headlines_and_hides_what_follows(
    tree: lxml_html.HtmlElement,
) -> None:
    hidden = tree.xpath("//*[@role='article']/*")[0]
    assert "display:none" in hidden.get("style")
    assert "mso-hide:all" in hidden.get("style")
    assert hidden.text.startswith("A ferry across the strait becomes a cinema for one winter · The")
    assert "\u034f\u200c\u00a0" * 40 in hidden.text


# What readers see


def test_headings_form_an_outline(tree: lxml_html.HtmlElement) -> None:
    levels = [int(x.tag[1]) for x in tree.xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_title_date_and_number_stand_first(tree: lxml_html.HtmlElement) -> None:
    assert tree.findtext(".//h1") == "Lanterns over the harbour"
    day = tree.xpath("//h1/following-sibling::p")[0].text_content()
    assert day == "Monday, December 15, 2025 · Issue 112"


def test_the_contents_link_each_headline_to_its_section(
    tree: lxml_html.HtmlElement, english: Issue
) -> None:
    links = tree.xpath("//ol/li/a")
    assert [link.text for link in links] == [x.title for x in english.highlights]
    for link, highlight in zip(links, english.highlights, strict=True):
        assert link.get("href") == f"#{highlight.id}"
        (target,) = tree.xpath(f"//*[@id='{highlight.id}']")
        assert target.get("name") == highlight.id
        assert target.text == highlight.title
        assert target.getparent().tag == "h2"


def section(tree: lxml_html.HtmlElement, id_: str) -> lxml_html.HtmlElement:
    (cell,) = tree.xpath(f"//td[.//h2/a[@id='{id_}'] and contains(@class, 'section')]")
    return cell


def test_a_section_has_its_source_tags_page_and_body(tree: lxml_html.HtmlElement) -> None:
    ferry = section(tree, "ferry-cinema")
    links = {link.text_content(): link.get("href") for link in ferry.iter("a")}
    assert links["Source: Harbour Post"].startswith("https://harbour-post.example/2025/")
    assert links["Film"] == "https://daily.example/tags/film/?utm_source=mail"
    page = "https://daily.example/highlights/ferry-cinema/?utm_source=mail"
    assert links["Permanent link"] == page
    assert ferry.xpath(".//h2/a/@href") == [page]
    assert [p.text_content() for p in ferry.xpath(".//div/p")][2] == "The first three evenings:"


def test_a_source_without_a_name_is_named_by_its_host(tree: lxml_html.HtmlElement) -> None:
    assert "Source: archive-notes.example" in section(tree, "river-seal").text_content()


def test_no_two_links_of_the_same_words_go_to_different_pages_unlabelled(
    tree: lxml_html.HtmlElement,
) -> None:
    named: dict[str, set[str]] = {}
    for link in tree.iter("a"):
        name = link.get("aria-label") or link.text_content()
        named.setdefault(name, set()).add(link.get("href").removeprefix("#"))
    repeated = {name for name, urls in named.items() if len({u for u in urls if "/" in u}) > 1}
    assert repeated == set()
    assert not {"read more", "more", "here", "continue"} & {name.lower() for name in named}


def test_images_have_sizes_and_words_and_fit(tree: lxml_html.HtmlElement) -> None:
    large, small = tree.iter("img")
    assert large.get("alt") == "The ferry Morning Star at its pier, a white screen on deck"
    assert (large.get("width"), large.get("height")) == ("536", "357")
    assert (small.get("width"), small.get("height")) == ("24", "24")
    for image in (large, small):
        assert image.get("src").startswith("https://daily.example/media/")
        assert "max-width:100%" in image.get("style")
        assert "height:auto" in image.get("style")


def test_large_and_unknown_images_in_the_text_do_not_widen_it(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    body = tuple(
        c.Paragraph((c.Picture(src, "words", "", 1),))
        for src in ("media/harbour.jpg", "https://elsewhere.example/unknown.png")
    )
    highlight = Highlight(id="x", title="X", body=body, image=Image("https://e.example/a.png"))
    issue = msgspec.structs.replace(brief, highlights=(highlight,))
    head, known, unknown = lxml_html.document_fromstring(
        render_message(issue, setting, templates).html
    ).iter("img")
    assert (head.get("width"), head.get("height"), head.get("alt")) == ("536", None, "")
    assert (known.get("width"), known.get("height")) == ("536", "357")
    assert (unknown.get("width"), unknown.get("height")) == (None, None)


def test_the_foot_says_why_who_and_how_to_leave(
    tree: lxml_html.HtmlElement, setting: Setting
) -> None:
    foot = tree.xpath("//td[contains(@class, 'foot')]")[0]
    assert "because you subscribed to The Lantern Daily" in foot.text_content()
    assert setting.postal_address in foot.text_content()
    (leave,) = foot.iter("a")
    assert (leave.text, leave.get("href")) == ("Unsubscribe", UNSUBSCRIBE_SLOT)


def test_all_urls_are_absolute_but_anchors_that_exist(tree: lxml_html.HtmlElement) -> None:
    ids = set(tree.xpath("//@id"))
    for url in tree.xpath("//@href | //@src"):
        if url.startswith("#"):
            assert url[1:] in ids
        else:
            assert re.match(r"(https://|mailto:)[\x21-\x7e]+$", url)


def test_one_highlight_needs_no_contents(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    html = render_message(brief, setting, templates).html
    assert "In this issue" not in html
    assert "<ol" not in html


def test_an_issue_without_a_title_is_named_after_the_publication_once(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    issue = msgspec.structs.replace(brief, title="", number=None)
    message = render_message(issue, setting, templates)
    tree = lxml_html.document_fromstring(message.html)
    assert message.subject == tree.findtext(".//h1") == "The Lantern Daily"
    assert not tree.xpath("//td[contains(@class, 'name')]")


def test_a_summary_stands_in_for_a_missing_introduction(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    message = render_message(
        msgspec.structs.replace(brief, summary="One < two"), setting, templates
    )
    assert '<p class="lead"' in message.html
    assert "One &lt; two" in message.html
    assert "One < two" in message.text


# Colours


def luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    if len(color) == 4:
        color = "#" + "".join(x * 2 for x in color[1:])
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_in_light(tree: lxml_html.HtmlElement) -> None:
    styles = ";".join(tree.xpath("//@style"))
    colors = set(re.findall(r"(?<![-a-z])color:\s*(#[0-9a-f]+)", styles))
    backgrounds = set(re.findall(r"background(?:-color)?:\s*(#[0-9a-f]+)", styles))
    assert len(colors) == 3
    assert len(backgrounds) == 2
    assert min(contrast(x, y) for x in colors for y in backgrounds) >= 4.5


@pytest.mark.parametrize("marker", ["prefers-color-scheme: dark", "[data-ogsc]"])
def test_contrast_in_dark(marker: str, tree: lxml_html.HtmlElement) -> None:
    css = next(block for block in tree.xpath("//style/text()") if marker in block)
    colors = set(re.findall(r"(?<![-a-z])color: (#[0-9a-f]+)", css))
    backgrounds = set(re.findall(r"background-color: (#[0-9a-f]+)", css))
    assert len(colors) == 3
    assert len(backgrounds) == 2
    assert min(contrast(x, y) for x in colors for y in backgrounds) >= 4.5


def test_every_coloured_thing_has_a_dark_colour(tree: lxml_html.HtmlElement) -> None:
    css = next(block for block in tree.xpath("//style/text()") if "prefers-color" in block)
    for element in tree.iter("td", "p", "h1", "h2", "a", "span", "ol"):
        if re.search(r"(?<![-a-z])color:", element.get("style", "")):
            classes = element.get("class", "").split()
            is_in_body = bool(element.xpath("ancestor::div[contains(@class, 'body')]"))
            assert is_in_body or any(re.search(rf"\.{x}\b", css) for x in classes)


# Languages


def test_foreign_highlights_say_their_language_and_direction(
    arabic: Issue, setting: Setting, templates: Environment
) -> None:
    tree = lxml_html.document_fromstring(render_message(arabic, setting, templates).html)
    assert (tree.get("lang"), tree.get("dir")) == ("ar", "rtl")
    ferry = section(tree, "ferry-cinema")
    assert (ferry.get("dir"), ferry.get("align")) == ("ltr", "left")
    (title,) = ferry.xpath(".//h2/a")
    (body,) = ferry.xpath("./div")
    for element in (title, body, *tree.xpath("//ol/li/a[@href='#ferry-cinema']")):
        assert (element.get("lang"), element.get("dir")) == ("en", "ltr")
    native = section(tree, "abbara")
    assert (native.get("dir"), native.get("align")) == ("rtl", "right")
    assert not native.xpath(".//*[@lang]")


def test_lists_and_quotes_turn_with_their_text(
    arabic: Issue, setting: Setting, templates: Environment
) -> None:
    tree = lxml_html.document_fromstring(render_message(arabic, setting, templates).html)
    native, foreign = section(tree, "abbara"), section(tree, "ferry-cinema")
    assert "margin:0 24px 16px 0" in native.find(".//ul").get("style")
    assert "margin:0 0 16px 24px" in foreign.find(".//ul").get("style")
    assert "border-right:" in native.find(".//blockquote").get("style")
    assert "border-left:" in foreign.find(".//blockquote").get("style")
    assert tree.xpath("//td[contains(@class, 'head')]/@align") == ["right"]
    assert tree.xpath("//td[contains(@class, 'web')]/@align") == ["left"]


def test_alignments_of_table_cells_are_kept(tree: lxml_html.HtmlElement) -> None:
    headings = section(tree, "openings").xpath(".//th")
    assert [x.get("align") for x in headings] == ["left", "left", "left", "right"]
    assert [x.get("align") for x in section(tree, "openings").xpath(".//td")[:4]] == [
        *(None, None, None),
        "right",
    ]


def test_words_of_ours_in_a_language_without_them_are_marked_as_english(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    issue = msgspec.structs.replace(brief, language="he")
    tree = lxml_html.document_fromstring(render_message(issue, setting, templates).html)
    assert (tree.get("lang"), tree.get("dir")) == ("he", "rtl")
    for words in ("View on the web", "Permanent link", "Unsubscribe"):
        (element,) = tree.xpath(f"//a[text()='{words}']")
        assert (element.get("lang"), element.get("dir")) == ("en", "ltr")
