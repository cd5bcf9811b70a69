"""Provocations of the rules about what is made: messages, feeds, pages; and about settings."""

from collections.abc import Mapping
from datetime import timedelta

from tests.preflight.provocation import Provocation
from tests.preflight.samples import (
    MESSAGE,
    NOON,
    SUBJECT,
    TEXT,
    Cut,
    check_mail,
    feed_of,
    mail_block,
    mail_element,
    mail_style,
    mail_with,
    make_entry,
    page_element,
    page_with,
    settings_with,
)

LATER = NOON + timedelta(days=2)

_MESSAGE: Mapping[str, Provocation] = {
    "message-too-large": Provocation(
        lambda: mail_element("é" * 53_000), lambda: mail_element("e" * 100_000)
    ),
    "message-cut": Provocation(lambda: check_mail(cuts=[Cut("f", "The ferry", 3, 9)]), check_mail),
    "style-too-large": Provocation(
        lambda: mail_block(".a { color: red }" * 1000),
        lambda: mail_block(".a { color: red }" * 900),
    ),
    "style-nested": Provocation(
        lambda: mail_block("@media all { @media (max-width: 9px) { p { margin: 0 } } }"),
        lambda: mail_block("/* { @media { */ @media all { p { margin: 0 } } @media print { }"),
    ),
    "doctype-missing": Provocation(lambda: mail_with("<!DOCTYPE html>", ""), check_mail),
    "lang-missing": Provocation(lambda: mail_with(' lang="en"', ' lang=""'), check_mail),
    "charset-missing": Provocation(lambda: mail_with(' charset="utf-8"', ""), check_mail),
    "title-element-missing": Provocation(
        lambda: mail_with("<title>The harbour wakes up</title>", "<title> </title>"), check_mail
    ),
    "outline-h1": Provocation(
        lambda: mail_with("<h2", "<h1>Again</h1><h2"),
        lambda: mail_with("<h2", "<!-- <h1> --><h2"),
    ),
    "outline-jump": Provocation(
        lambda: mail_with("<h2", "<h4>Deep</h4><h2"), lambda: mail_with("<h2", "<h2>One</h2><h2")
    ),
    "text-part-missing": Provocation(lambda: check_mail(text=" \n"), check_mail),
    "text-part-incomplete": Provocation(
        lambda: check_mail(titles=["The day ferry"]), lambda: check_mail(titles=["The night ferry"])
    ),
    "unsubscribe-missing": Provocation(
        lambda: mail_with("/unsubscribe/x", "/"),
        lambda: check_mail(
            MESSAGE.replace("/unsubscribe/x", "/#leave"), TEXT.replace("/unsubscribe/x", "/#leave")
        ),
    ),
    "subject-missing": Provocation(lambda: check_mail(subject=" "), check_mail),
    "subject-too-long": Provocation(
        lambda: check_mail(subject="今日要闻" * 10), lambda: check_mail(subject="Ferry " * 13)
    ),
    "subject-control-characters": Provocation(
        lambda: check_mail(subject=f"{SUBJECT}\r\nBcc: x"), lambda: check_mail(subject="Naïve 要闻")
    ),
    "markup-alt-missing": Provocation(
        lambda: mail_with(' alt="Lights"', ""), lambda: mail_with(' alt="Lights"', ' alt=""')
    ),
    "markup-width-missing": Provocation(
        lambda: mail_with(' width="536"', ""), lambda: mail_with(' alt="Lights"', ' alt="a > b"')
    ),
    "markup-url-relative": Provocation(
        lambda: mail_with('src="https://daily.example/media', 'src="/media'),
        lambda: mail_with('href="#ferry"', 'href="mailto:desk@daily.example"'),
    ),
    "html-layout-critical": Provocation(
        lambda: mail_element("<video src='https://a.example/v.mp4'></video>"),
        lambda: mail_element('<p title="<video>">&lt;video&gt; <!-- <svg> --></p>'),
    ),
    "html-unsupported": Provocation(
        lambda: mail_element("<form></form>"), lambda: mail_element("<section></section>")
    ),
    "css-layout-critical": Provocation(
        lambda: mail_style("color:red;DISPLAY: flex !important"),
        lambda: mail_style("display:block;content:'display:flex'"),
    ),
    "css-unsupported": Provocation(
        lambda: mail_style("width:calc(100% - 2em)"),
        lambda: mail_style("border-radius:4px;font-family:Calc, premium;background:url(a.png)"),
    ),
}

_FEED: Mapping[str, Provocation] = {
    "feed-too-large": Provocation(
        lambda: feed_of(make_entry(), data=b"x" * 260_000),
        lambda: feed_of(make_entry(), data=b"x" * 260_000, is_archive=True),
    ),
    "feed-empty": Provocation(feed_of, lambda: feed_of(make_entry())),
    "feed-title-missing": Provocation(
        lambda: feed_of(make_entry(), title=" "), lambda: feed_of(make_entry())
    ),
    "feed-url-invalid": Provocation(
        lambda: feed_of(make_entry(content='<img src="/a.png" alt="">')),
        lambda: feed_of(make_entry(source_url="mailto:a@b.example", content="An <a> & href='/'")),
    ),
    "feed-order": Provocation(
        lambda: feed_of(make_entry("a"), make_entry("b", LATER)),
        lambda: feed_of(
            make_entry("c", LATER),
            make_entry("a", NOON),
            make_entry("b", NOON + timedelta(seconds=1)),
        ),
    ),
    "entry-title-missing": Provocation(
        lambda: feed_of(make_entry(title="")), lambda: feed_of(make_entry(title="0"))
    ),
    "entry-content-missing": Provocation(
        lambda: feed_of(make_entry(content="", summary=" ")),
        lambda: feed_of(make_entry(content="")),
    ),
    "entry-content-dropped": Provocation(
        lambda: feed_of(make_entry(content='<p style="color:red">Red</p>')),
        lambda: feed_of(make_entry(content="<p>&lt;script&gt; has style=</p>")),
    ),
    "entry-id-repeated": Provocation(
        lambda: feed_of(make_entry("a"), make_entry("a", LATER)),
        lambda: feed_of(make_entry("b", LATER), make_entry("a")),
    ),
    "entry-updated-repeated": Provocation(
        lambda: feed_of(make_entry("a"), make_entry("b")),
        lambda: feed_of(make_entry("a"), make_entry("b", NOON + timedelta(seconds=1))),
    ),
    "entry-updated-late": Provocation(
        lambda: feed_of(make_entry("a", LATER), updated=NOON),
        lambda: feed_of(make_entry("a"), updated=NOON),
    ),
}

_PAGE: Mapping[str, Provocation] = {
    "page-inline-script": Provocation(
        lambda: page_element("<script>alert(1)</script>"),
        lambda: page_element('<script src="https://daily.example/media/a.js"></script>'),
    ),
    "page-event-attribute": Provocation(
        lambda: page_element('<p onclick="x()">a</p>'),
        lambda: page_element("<p data-on='1'>onclick=\"x()\"</p>"),
    ),
    "page-inline-style": Provocation(
        lambda: page_element('<p style="color:red">a</p>'),
        lambda: page_element('<p class="style">style="x"</p>'),
    ),
    "page-id-repeated": Provocation(
        lambda: page_element('<p id="ferry">a</p>'), lambda: page_element('<p id="Ferry">a</p>')
    ),
    "page-anchor-missing": Provocation(
        lambda: page_with('href="#ferry"', 'href="#boat"'), lambda: page_with("#ferry", "#")
    ),
}

_PUBLICATION: Mapping[str, Provocation] = {
    "from-missing": Provocation(lambda: settings_with(email={"from": ""}), settings_with),
    "from-free-mail": Provocation(
        lambda: settings_with(email={"from": "The Daily <daily@gmail.com>"}),
        lambda: settings_with(email={"from": "The Daily <gmail.com@daily.example>"}),
    ),
    "postal-address-missing": Provocation(
        lambda: settings_with(email={"postal_address": ""}), settings_with
    ),
    "relay-missing": Provocation(
        lambda: settings_with(smtp=None), lambda: settings_with(smtp=None, email={"from": ""})
    ),
    "relay-unencrypted": Provocation(
        lambda: settings_with(smtp={"security": "none"}),
        lambda: settings_with(smtp={"security": "none", "host": "localhost"}),
    ),
    "dkim-missing": Provocation(
        lambda: settings_with(dkim=None), lambda: settings_with(dkim=None, email={"from": ""})
    ),
    "dkim-incomplete": Provocation(
        lambda: settings_with(dkim={"selector": ""}),
        lambda: settings_with(dkim={"ed25519": {"selector": "e1", "private_key": "e.pem"}}),
    ),
    "dkim-unaligned": Provocation(
        lambda: settings_with(dkim={"domain": "relay.example"}),
        lambda: settings_with(
            dkim={"domain": "daily.example"}, email={"from": "A <a@mail.daily.example>"}
        ),
    ),
    "publication-url-insecure": Provocation(
        lambda: settings_with(publication={"url": "http://daily.example"}), settings_with
    ),
    "publication-author-missing": Provocation(
        lambda: settings_with(publication={"author": ""}), settings_with
    ),
    "publication-description-missing": Provocation(
        lambda: settings_with(publication={"description": ""}), settings_with
    ),
    "subject-template-broken": Provocation(
        lambda: settings_with(email={"subject": "{{ title }}"}),
        lambda: settings_with(email={"subject": "No. {{ issue.number or 0 }}"}),
    ),
    "subject-template-constant": Provocation(
        lambda: settings_with(email={"subject": "Today's highlights"}),
        lambda: settings_with(email={"subject": "{% if issue.number %}N{% endif %}"}),
    ),
    "link-params-invalid": Provocation(
        lambda: settings_with(email={"link_params": "?utm_source=mail"}),
        lambda: settings_with(email={"link_params": "utm_source=mail&utm_medium=e%20mail&x="}),
    ),
    "list-id-invalid": Provocation(
        lambda: settings_with(email={"list_id": "The Daily"}),
        lambda: settings_with(email={"list_id": "The Daily <daily.news.example>"}),
    ),
    "reply-address-silent": Provocation(
        lambda: settings_with(email={"reply_to": "no-reply@daily.example"}),
        lambda: settings_with(email={"reply_to": "reply@daily.example"}),
    ),
}

OUTPUT_PROVOCATIONS: Mapping[str, Provocation] = {
    **_MESSAGE,
    **_FEED,
    **_PAGE,
    **_PUBLICATION,
}
