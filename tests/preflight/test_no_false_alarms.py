"""Good texts raise nothing: a false alarm teaches an editor not to read the true ones."""

from pathlib import Path

import pytest

from publisher.intake.digest import read_digest
from publisher.intake.text import decode
from publisher.model import content as c
from publisher.model.issue import Highlight, Issue
from publisher.preflight.content import check_issue
from publisher.preflight.links import check_links
from publisher.render.email import render_message
from publisher.render.templates import make_templates
from tests.preflight.samples import (
    MEDIA,
    check_mail,
    check_text,
    feed_of,
    make_entry,
    make_setting,
    page_with,
    read,
    settings_with,
)

REAL = Path(__file__).parents[3] / "shared" / "digests" / "todays-highlights.txt"
TEMPLATES = Path(__file__).parents[2] / "templates"

ENGLISH = """\
---
id: en00000001
title: "Today's Highlights: what the tide left at No. 5"
number: 41
date: 2025-12-15T07:00:00+08:00
status: ready
summary: Five things from the shore, from a 19th-century logbook to the '90s ferry.
authors: ["The Desk <desk@daily.example>", Ann O'Neill]
tags: [sea, "C++", 海]
---

Good morning. "It's high water at 6:15," says the harbour master, "and low at noon."

## [“Night Boats” — a series in 12 parts — returns](https://radio.example/boats?id=7&n=1#a) \
{#boats .radio source="Radio Harbour" image="media/harbour.jpg" alt="Two lights above the pier"}

The makers call it "slow radio": the 5'10" host and her 6' 2" guest row a 27" x 9' boat. “We \
never said ‘hurry’,” she recalls. “Not once.” Rock 'n' roll of the '60s plays; the Joneses' dog \
barks.

### The crew

> “I had never rowed before.

> “By March I could not stop.”

- the *Maria* (built 1901), whose bell says "Salve";
- a `{{ template }}` of the log, and the code `TODO`;
- Flight TK 1951, TK Elevator, Super Bowl XXX and size XXXL.

#### What they eat

| Day | Dish |
|---|---|
| Monday | "Harbour" soup |
| Tuesday | [insert](https://a.example/insert) of rice [sic], [his] bread |

See [the map of the route](https://maps.example/@20.04,110.35,12z), \
<https://boats.example/a_(b)/c?d=e%20f>, [mail the crew](mailto:crew@boats.example?subject=Hi), \
[the log (PDF)](media/report.pdf) and [the other story](#glass).

## Glass from the 1920s, AT&T's cable, and 3 < 4 {#glass}

Found at 40°26'46" N: bottles, a telegraph cable, R&D papers; 100% of it dry. It cost €5–6 (£4).
"""

CHINESE = """\
---
id: zh00000001
title: 今日要闻：微短剧《乡音》定档，海口“夜航”展开幕
date: 2025-12-15T07:00:00+08:00
status: ready
language: zh
summary: 五条关于银幕、舞台与古物的消息。
tags: [电影, AI]
---

## [《乡音》发布预告片：“回家的路”](https://wire.example/新闻/1) {#xiangyin .电影 source="通讯社"}

全剧十二集，在三个渔村里拍了四十天，片名取自一首老歌《月光下的船》。导演说：“剧里的每一句方言都是‘听来的’。”

“我们用了AI（人工智能）生成分镜，
再由人来挑选。”她补充道，“最后一刀永远是人剪的。

“明年还会有第二季。”

## 海口举办“夜航”影像展 {#yehang}

展览共展出120件作品，含《南海一号》《更路簿》等，门票（含税）38元，详见[展览介绍](https://expo.example/)。

## [A view from abroad: what the papers say](https://papers.example/) {#abroad language="en"}

The exhibition is "worth the trip", writes one; another calls it a quiet triumph of the year.
"""

ARABIC = """\
---
id: ar00000001
title: "عناوين اليوم: مكتبة للأصوات في الدوحة"
date: 2025-12-15T07:00:00+03:00
status: ready
language: ar
---

## [«مكتبة الأصوات» تفتح أبوابها](https://doha.example/) {#library source="صحيفة الميناء"}

افتتحت في الدوحة مكتبة لا كتب فيها، وقال مديرها: "نريد أن يسمع الناس ما كان". وأضاف: «الصوت ذاكرة».

يبلغ عدد التسجيلات 1.200 تسجيل (منها 300 من خارج البلد)، ويمكن قراءة [التفاصيل الكاملة عنها](https://doha.example/a).
"""

OTHERS = {
    "de": "Er sagte: „Das ist kein ‚Problem‘.“ Das Stück »Hafen« läuft seit den 90er-Jahren.",
    "fr": "« C'est l'aube », dit-il ; le bateau « Aurore » part à 7 h — « enfin ! ».",
    "he": 'צה"ל הודיע: "הנמל ייפתח ביום שני". ד"ר כהן אמרה: "סוף סוף".',
    "ja": "「夜の船」は月曜日に出航します。『港』という本もあります。",
    "ru": "«Ночной паром» выходит в понедельник, — сказал капитан. «Наконец-то!»",
    "sv": "”Båten går klockan sju”, sade hon. ”Äntligen.”",
    "es": "TODO SOBRE EL MAR. «El barco sale a las siete», dijo. “Por fin”, añadió.",
    "ko": "선장은 “배는 일곱 시에 떠난다”고 말했다.",
    "el": "«Το πλοίο φεύγει στις επτά», είπε.",
    "sr": "„Брод полази у седам“, рекла је. „Brod polazi u sedam“, ponovila je.",
}


def _message(ident: str) -> str:
    return {"en": ENGLISH, "zh": CHINESE, "ar": ARABIC}[ident]


@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_good_issues(language: str) -> None:
    text = _message(language)
    assert check_text(text, name="2025-12-15.md") == []


@pytest.mark.parametrize("language", OTHERS)
def test_good_sentences(language: str) -> None:
    title = "" if language != "ja" else "港の"
    text = (
        f"---\nid: a1\ntitle: {title}1\ndate: 2025-12-15\nlanguage: {language}\n---\n"
        f"\n## {title}2 {{#b1}}\n\n{OTHERS[language]}\n"
    )
    assert check_text(text) == []


@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_good_messages(language: str) -> None:
    """What the packaged template makes of a good issue is good."""
    issue, _ = read(_message(language))
    assert issue
    sources = {
        file.relative_to(TEMPLATES).as_posix(): file.read_text("utf-8")
        for file in TEMPLATES.rglob("*")
        if file.is_file()
    }
    message = render_message(issue, make_setting(), make_templates(sources))
    titles = [highlight.title for highlight in issue.highlights]
    assert check_mail(message.html, message.text, message.subject, message.cuts, titles) == []


def test_good_samples() -> None:
    """The samples that the provocations change have nothing wrong with them."""
    assert check_mail() == []
    assert page_with("<h1>", "<h1>") == []
    assert feed_of(make_entry()) == []
    assert settings_with() == []


@pytest.mark.skipif(not REAL.exists(), reason="the shared digest is not beside this checkout")
def test_the_real_digest() -> None:
    text, _ = decode(REAL.read_bytes(), REAL.name)
    assert text
    digest, problems = read_digest(text, REAL.name)
    assert digest
    assert problems == ()
    highlights = tuple(
        Highlight(
            id=f"h{number}",
            title=highlight.title,
            body=tuple(c.Paragraph((c.Text(text),)) for text in highlight.paragraphs),
            line=highlight.line,
        )
        for number, highlight in enumerate(digest.highlights)
    )
    issue = Issue(slug="a", path="issues/a.md", id="a", title=digest.title, highlights=highlights)
    found = [*check_issue(issue, make_setting(), MEDIA), *check_links(issue, make_setting())]
    # A quotation in its second highlight is opened and never closed.
    assert [(p.rule, p.level, p.line) for p in found] == [
        ("quote-unclosed", "warning", digest.highlights[1].line)
    ]
