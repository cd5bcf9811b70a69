"""Hostile content: in the message it is words, never anything else."""

import msgspec
import pytest
from jinja2 import Environment
from jinja2.exceptions import SecurityError, TemplateNotFound
from lxml import html as lxml_html

from publisher.model import content as c
from publisher.model.issue import Highlight, Image, Issue, Tag
from publisher.render.email import render_message
from publisher.render.templates import make_templates
from publisher.render.views import Setting


def text(words: str) -> c.Paragraph:
    return c.Paragraph((c.Text(words),))


ATTACKS = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg/onload=alert(1)>",
    "</td></table><style>*{display:none}</style>",
    "<!--[if mso]><b>x<![endif]-->",
    "--><script>alert(1)</script>",
    "{{ 7 * 7 }}{% for x in y %}",
    '"><a href="javascript:alert(1)">x</a>',
    "]]> &lt;script&gt; \u202e",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_words_are_text_wherever_they_stand(
    attack: str, brief: Issue, setting: Setting, templates: Environment
) -> None:
    highlight = Highlight(
        id="x",
        title=attack,
        source=attack,
        url="https://a.example/",
        tags=(Tag("x", attack),),
        image=Image("media/harbour.jpg", attack),
        language='"><script>',
        body=(
            c.Paragraph((c.Text(attack), c.Link("https://a.example/", attack, (c.Text("x"),), 1))),
            c.CodeBlock(attack, attack),
            c.Paragraph((c.Picture("media/seal.png", attack, attack, 1),)),
        ),
    )
    issue = msgspec.structs.replace(
        brief, title=attack, summary=attack, highlights=(highlight, highlight)
    )
    own = msgspec.structs.replace(setting, postal_address=attack)
    message = render_message(issue, own, templates)
    tree = lxml_html.document_fromstring(message.html)
    assert not list(tree.iter("script", "svg"))
    assert len(list(tree.iter("style"))) == 2
    assert not [x for x in tree.xpath("//@*") if x.attrname.startswith("on")]
    assert not [x for x in tree.xpath("//@href | //@src") if "javascript" in x]
    assert " ".join(tree.findtext(".//h1").split()) == " ".join(attack.split())
    assert message.text.count(attack) >= 5


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "vbscript:x", "http://["],
)
def test_links_that_must_not_be_followed_are_text(
    href: str, brief: Issue, setting: Setting, templates: Environment
) -> None:
    body = (c.Paragraph((c.Link(href, "", (c.Text("words"),), 1), c.Picture(href, "alt", "", 1))),)
    highlight = Highlight(id="x", title="X", url=href, image=Image(href, "alt"), body=body)
    issue = msgspec.structs.replace(brief, highlights=(highlight,))
    message = render_message(issue, setting, templates)
    assert "wordsalt</p>" in message.html
    assert "<img" not in message.html
    assert href not in message.text.replace("https://", "")


def test_deeply_nested_quotes_lose_nothing(
    brief: Issue, setting: Setting, templates: Environment
) -> None:
    block: c.Block = text("innermost")
    for _ in range(150):
        block = c.Quote((block,))
    message = render_message(
        msgspec.structs.replace(brief, highlights=(Highlight(id="x", title="X", body=(block,)),)),
        setting,
        templates,
    )
    assert "innermost" in message.html
    assert "innermost" in message.text


def test_a_template_of_the_publications_own_is_sandboxed(english: Issue, setting: Setting) -> None:
    for source, error in (
        ("{{ issue.__class__.__base__ }}", SecurityError),
        ("{{ wrap.__globals__ }}", SecurityError),
        ('{% include "../publisher.toml" %}', TemplateNotFound),
        ('{% include "/etc/passwd" %}', TemplateNotFound),
    ):
        own = make_templates({"email/message.html": "<p>x</p>", "email/message.txt": source})
        with pytest.raises(error):
            render_message(english, setting, own)
