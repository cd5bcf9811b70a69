"""Sample issues that hold everything a highlight can: in English, in Chinese and in Arabic."""

from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from publisher.model import content as c
from publisher.model.issue import Highlight, Image, Issue, Person, Tag
from publisher.model.publication import Publication
from publisher.render.urls import Urls
from publisher.render.views import Setting
from tests.catalogues import CATALOGUES

_SHANGHAI = timezone(timedelta(hours=8))


@pytest.fixture
def setting() -> Setting:
    return Setting(
        publication=Publication(
            id="tag:daily.example,2025:lantern",
            title="The Lantern Daily",
            url="https://daily.example",
            time_zone="Asia/Shanghai",
            author=Person("The Lantern Desk", "desk@daily.example"),
        ),
        urls=Urls("https://daily.example"),
        web_url="https://mail.daily.example",
        catalogues=CATALOGUES,
        media={"media/harbour.jpg": (1200, 800), "media/seal.png": (24, 24)},
        link_params=(("utm_source", "mail"),),
        postal_address="The Lantern Daily, 12 Harbour Street, Haikou 570100",
    )


@pytest.fixture
def english(setting: Setting) -> Issue:
    return Issue(
        slug="2025-12-15",
        path="issues/2025-12-15.md",
        id="k3v9x2",
        title="Lanterns over the harbour",
        number=112,
        date=datetime(2025, 12, 15, 7, tzinfo=_SHANGHAI),
        status="ready",
        introduction=(
            _p(
                "Good morning. A ferry that carries a cinema, a seal that lay in a drawer for "
                "sixty years, and a table of this week’s openings. ",
                _a("Tell us what we missed", "mailto:desk@daily.example"),
                ".",
            ),
        ),
        highlights=(_ferry(), _seal(), _chinese_highlight(), _openings(), _archive()),
    )


@pytest.fixture
def chinese(setting: Setting) -> Issue:
    return Issue(
        slug="2025-12-16",
        path="issues/2025-12-16.md",
        id="m4n5p6",
        title="今日要闻",
        number=113,
        date=datetime(2025, 12, 16, 7, tzinfo=_SHANGHAI),
        status="ready",
        language="zh-Hans",
        introduction=(_p("早上好。今天的五分钟，从一艘会放电影的渡轮开始。"),),
        highlights=(_chinese_highlight(), _in_english(_ferry()), _chinese_list()),
    )


@pytest.fixture
def arabic(setting: Setting) -> Issue:
    return Issue(
        slug="2025-12-17",
        path="issues/2025-12-17.md",
        id="q7r8s9",
        title="فوانيس فوق الميناء",
        number=114,
        date=datetime(2025, 12, 17, 7, tzinfo=_SHANGHAI),
        status="ready",
        language="ar",
        introduction=(_p("صباح الخير. عبّارة تحمل دار سينما، وختم ظل ستين عامًا في درج."),),
        highlights=(_arabic_highlight(), _in_english(_ferry()), _arabic_list()),
    )


def _t(text: str) -> c.Text:
    return c.Text(text)


def _a(text: str, href: str) -> c.Link:
    return c.Link(href, "", (c.Text(text),), 1)


def _p(*children: str | c.Inline) -> c.Paragraph:
    return c.Paragraph(tuple(c.Text(x) if isinstance(x, str) else x for x in children))


def _in_english(highlight: Highlight) -> Highlight:
    return msgspec.structs.replace(highlight, language="en")


def _ferry() -> Highlight:
    return Highlight(
        id="ferry-cinema",
        title="A ferry across the strait becomes a cinema for one winter",
        url="https://harbour-post.example/2025/ferry-cinema",
        source="Harbour Post",
        image=Image(
            "media/harbour.jpg", "The ferry Morning Star at its pier, a white screen on deck"
        ),
        tags=(Tag("film", "Film"), Tag("dian-ying", "电影")),
        body=(
            _p(
                "From Friday the ",
                c.Emphasis((_t("Morning Star"),)),
                " will make its evening crossing with a screen on the upper deck. ",
                _a("The programme", "https://harbour-post.example/programme?winter=2025&deck=2"),
                " holds eleven films, each exactly as long as the passage, and the projectionist "
                "has promised to stop when the captain blows the horn.",
            ),
            _p(
                "Tickets cost as much as the crossing does. “We did not want to sell seats,” said "
                "Lin Yue, who runs the line with her brother. “We wanted people to stay outside "
                "after dark, and to find out that the sea is not as black as they think.”"
            ),
            c.Quote((_p("Bring a blanket. The wind is part of the sound track."),)),
            _p("The first three evenings:"),
            c.List(
                False,
                1,
                True,
                (
                    (_p("Friday: ", c.Strong((_t("The Salt Road"),)), ", in Cantonese"),),
                    (_p("Saturday: a short about lighthouse keepers, and a long one about rain"),),
                    (_p("Sunday: whatever the passengers of Saturday vote for"),),
                ),
            ),
        ),
    )


def _seal() -> Highlight:
    return Highlight(
        id="river-seal",
        title="The seal that lay in a drawer for sixty years turns out to be older than the museum",
        url="https://www.archive-notes.example/seal",
        tags=(Tag("heritage", "Heritage"),),
        body=(
            _p(
                "It was listed as a paperweight. When the county museum moved house in October, a "
                "trainee turned it over ",
                c.Picture("media/seal.png", "the seal’s face", "", 1),
                " and read four characters that no catalogue of the province has.",
            ),
            c.Heading(3, (_t("How it was dated"),), 1),
            c.List(
                True,
                1,
                False,
                (
                    (_p("The bronze was compared with coins from three hoards."),),
                    (_p("The script was read twice, by people who do not speak to each other."),),
                    (_p("The drawer itself was searched. It held a receipt of 1961."),),
                ),
            ),
            _p(
                "The identifier in the new register is ",
                c.Code("QN-1961/0004-bis"),
                "; the raw scan can be had at https://archive-notes.example/scans/"
                "river-seal-high-resolution-without-any-place-to-break.tiff.",
            ),
            c.CodeBlock("weight  212 g\nheight   31 mm\nalloy   Cu 71, Sn 14, Pb 13", ""),
        ),
    )


def _chinese_highlight() -> Highlight:
    return Highlight(
        id="duan-ju",
        title="短剧《渡口》开机：讲述三代摆渡人的故事",
        url="https://yingshi.example/dukou",
        source="影视周刊",
        language="zh",
        tags=(Tag("dian-ying", "电影"),),
        body=(
            _p(
                "十二月十三日，微短剧《渡口》在海口开机。该剧共二十集，每集两分钟，讲述一家三代摆渡人"
                "与一条河的故事。导演说：“我们不想拍一部关于告别的戏，我们想拍的是每天都有人回来。”"
            ),
            _p(
                "剧组在当地招募了四十多位群众演员，其中年纪最大的八十一岁，曾经是渡口最后一位船工。"
                "更多剧照见",
                _a("官方页面", "https://yingshi.example/dukou/juzhao"),
                "，预计明年三月上线。",
            ),
        ),
    )


def _openings() -> Highlight:
    cells = (
        ("Thursday", "Paper Lions, a puppet opera", "Old Granary", "19:30"),
        ("Friday", "The Salt Road", "Morning Star, upper deck", "20:00"),
        ("Sunday", "Songs for a Loom", "Weavers’ Hall", "15:00"),
    )
    return Highlight(
        id="openings",
        title="This week’s openings",
        tags=(Tag("stage", "Stage"), Tag("film", "Film")),
        body=(
            _p("Three doors that open for the first time."),
            c.Table(
                ("", "", "", "right"),
                tuple((_t(x),) for x in ("Day", "What", "Where", "Time")),
                tuple(tuple((_t(x),) for x in row) for row in cells),
            ),
            _p(
                "The puppet opera is the one to book: ",
                _a("forty seats", "https://granary.example/paper-lions"),
                ", six evenings, and a lion that takes three people to move.",
            ),
        ),
    )


def _archive() -> Highlight:
    return Highlight(
        id="lantern-archive",
        title="An archive of nine thousand lantern slides goes online, with the lecturer’s notes",
        source="Reading Room",
        url="https://reading-room.example/slides",
        body=(
            _p(
                "Between 1908 and 1934 Mei Anders travelled the coast with a projector, two boxes "
                "of glass and a talk that she never gave twice in the same way. The slides were "
                "known; her notes were not. They were found behind the slides, in the same boxes."
            ),
            c.Quote(
                (
                    _p("Slide 41. Pause. If there are fishermen in the room, let them correct me."),
                    _p("Slide 42. They will have."),
                )
            ),
            c.Rule(),
            _p(
                "Every slide can be used freely, and ",
                _a("the notes are transcribed", "#river-seal"),
                ".",
            ),
        ),
    )


def _chinese_list() -> Highlight:
    return Highlight(
        id="zhan-lan",
        title="本周展览",
        source="文博快讯",
        tags=(Tag("heritage", "文物"),),
        body=(
            _p("本周有三个新展开幕，均可免费参观："),
            c.List(
                True,
                1,
                True,
                (
                    (_p("“海上来信”：一百二十封侨批首次公开，展至二月底。"),),
                    (_p("“纸上山河”：地方志与手绘地图。"),),
                    (_p("“灯影”：九千张玻璃幻灯片（部分）。"),),
                ),
            ),
            c.Quote((_p("看展不必匆忙。灯会一直亮着。"),)),
        ),
    )


def _arabic_highlight() -> Highlight:
    return Highlight(
        id="abbara",
        title="عبّارة تتحول إلى دار سينما طوال الشتاء",
        url="https://mina.example/abbara",
        source="بريد الميناء",
        image=Image("media/harbour.jpg", "العبّارة «نجمة الصباح» عند رصيفها"),
        tags=(Tag("cinema", "سينما"),),
        body=(
            _p(
                "ابتداءً من يوم الجمعة تقوم العبّارة «نجمة الصباح» برحلتها المسائية وعلى سطحها "
                "العلوي شاشة بيضاء. يضم ",
                _a("البرنامج", "https://mina.example/program"),
                " أحد عشر فيلمًا، مدة كل منها مدة الرحلة تمامًا.",
            ),
            c.Quote((_p("أحضروا بطانية. الريح جزء من الموسيقى."),)),
            c.List(
                False,
                1,
                True,
                (
                    (_p("الجمعة: «طريق الملح»"),),
                    (_p("السبت: فيلم قصير عن حراس المنارات (The Keepers, 12 min)"),),
                ),
            ),
        ),
    )


def _arabic_list() -> Highlight:
    return Highlight(
        id="iftitah",
        title="افتتاحات هذا الأسبوع",
        body=(
            c.Table(
                ("", "", "right"),
                ((_t("اليوم"),), (_t("العرض"),), (_t("الساعة"),)),
                (
                    ((_t("الخميس"),), (_t("أسود من ورق"),), (_t("19:30"),)),
                    ((_t("الأحد"),), (_t("أغانٍ للنول"),), (_t("15:00"),)),
                ),
            ),
            _p("العرض الأول وحده يحتاج إلى حجز."),
        ),
    )


@pytest.fixture
def brief(english: Issue) -> Issue:
    """An issue with one short highlight, to be varied with `msgspec.structs.replace`."""
    highlight = Highlight(id="only-one", title="Only one", body=(_p("One paragraph."),))
    return msgspec.structs.replace(english, introduction=(), highlights=(highlight,))
