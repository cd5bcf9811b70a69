"""Cards: the pictures beside links to pages that have none, in the publication's own letters."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, features

from publisher.site.cards import Card, Cards, _Written
from publisher.site.check import check
from tests.conftest import ROOT
from tests.site.reading import rules
from tests.site.world import NOW, SETTINGS, World

STYLE = (ROOT / "templates/pages/site.css").read_bytes()
CARD = Card(
    heading="The Test Daily",
    title="The ferry cinema opens",
    facts=(("Monday, January 5, 2026", "2026-01-05"), ("Issue 12", "12")),
    stand_in="2026-01-05",
)
PICTURE = '## With {#with image="media/a.png" alt="A"}\n\nText.\n'
# Latin and Chinese letters in one small font would do; what the system has is another machine's.
CJK = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc")


def picture(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def draw(**fields: object) -> bytes:
    values = {name: getattr(CARD, name) for name in CARD.__struct_fields__} | fields
    return Cards(STYLE).draw(Card(**values))


def ink(data: bytes, top: int, bottom: int) -> tuple[int, int, int, int] | None:
    """The box of what is drawn between two heights."""
    part = picture(data).crop((0, top, 1200, bottom))
    return ImageChops.difference(part, Image.new("RGB", part.size, "#ffffff")).getbbox()


def own_font(name: str = "fonts/own.ttf") -> str:
    return SETTINGS.replace("[email]", f'[site]\ncard_font = "{name}"\n\n[email]')


def pillows() -> bytes:
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return bytes(font.font_bytes)


def test_a_card_is_a_small_png_of_the_size_that_networks_want() -> None:
    data = draw()
    image = Image.open(BytesIO(data))
    assert (image.format, image.size, image.mode) == ("PNG", (1200, 630), "P")
    assert len(data) < 40_000


def test_the_same_words_make_the_same_bytes_and_others_make_others() -> None:
    assert draw() == draw()
    assert len({draw(), draw(title="Another"), draw(heading="Another"), draw(facts=())}) == 4


def test_it_has_the_colours_of_the_style() -> None:
    style = STYLE.replace(b"--accent: #9b2c1f", b"--accent: #123456")
    style = style.replace(b"--sheet: #ffffff", b"--sheet: #fedcba")
    image = picture(Cards(style).draw(CARD))
    assert image.getpixel((600, 4)) == (0x12, 0x34, 0x56)
    assert image.getpixel((4, 600)) == (0xFE, 0xDC, 0xBA)


@pytest.mark.parametrize(
    "title", ["上海国际电影节", "افتتاح السينما", "Café", "日本語 and English", "e\u0301"]
)
def test_what_the_font_lacks_is_never_drawn_and_the_day_stands_there(title: str) -> None:
    assert draw(title=title) == draw(title=CARD.stand_in)


@pytest.mark.parametrize("title", ["🎬 The ferry cinema opens ✨", "The ferry\u200b cinema opens"])
def test_symbols_that_the_font_lacks_are_left_out(title: str) -> None:
    assert draw(title=title) == draw()


def test_dashes_that_the_font_lacks_become_plain_ones() -> None:
    assert draw(title="A – B — C") == draw(title="A - B - C")


def test_facts_that_cannot_be_written_have_a_plain_form() -> None:
    facts = (("2026年1月5日星期一", "2026-01-05"), ("第12期", "12"))
    assert draw(facts=facts) == draw(facts=(("2026-01-05", ""), ("12", "")))


def test_text_runs_from_the_side_of_its_language() -> None:
    left, right = ink(draw(), 100, 630), ink(draw(direction="rtl"), 100, 630)
    assert left is not None
    assert right is not None
    assert left[0] < 100
    assert right[2] > 1100
    assert left[2] < 1100
    assert right[0] > 100


def test_nothing_runs_over_the_edge() -> None:
    for title in ("W" * 200, "word " * 200, "I"):
        box = ink(draw(title=title, heading="H" * 300), 20, 630)
        assert box is not None
        assert box[0] >= 60
        assert box[2] <= 1140


@pytest.mark.skipif(not CJK.exists(), reason="needs the font package fonts-noto-cjk")
def test_a_font_of_its_own_writes_what_pillows_cannot() -> None:
    font = CJK.read_bytes()
    card = Card(heading="中", title="上海国际电影节", facts=(), stand_in="2026-01-05")
    data = Cards(STYLE, font).draw(card)
    assert data != Cards(STYLE).draw(card)
    assert data == Cards(STYLE, font).draw(card)


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow has no raqm")
def test_right_to_left_needs_a_font_that_has_its_letters() -> None:
    assert draw(title="שלום", direction="rtl") == draw(title=CARD.stand_in, direction="rtl")


# In a publication


def test_an_issue_has_one_card_that_its_highlights_share(world: World) -> None:
    world.issue("2026-01-05", "## A {#a}\n\nText.\n\n## B {#b}\n\nText.\n")
    world.build()
    url = "https://daily.example/cards/2026-01-05.png"
    for path in ("issues/2026-01-05", "highlights/a", "highlights/b"):
        page = world.read(f"{path}/index.html")
        assert f'<meta property="og:image" content="{url}">' in page
        assert '<meta property="og:image:width" content="1200">' in page
        assert '<meta property="og:image:alt" content="Issue 2026-01-05">' in page
        assert '<meta name="twitter:card" content="summary_large_image">' in page
    cards = [path for path in world.files() if path.startswith("cards/")]
    assert cards == ["cards/2026-01-05.png", "cards/publication_card.png"]
    assert "publication_card.png" in world.read("index.html")


def test_where_each_highlight_has_an_image_there_is_no_card(world: World) -> None:
    buffer = BytesIO()
    Image.new("RGB", (800, 400)).save(buffer, "PNG")
    world.write("media/a.png", buffer.getvalue())
    world.issue("2026-01-05", PICTURE)
    world.build()
    assert not (world.public / "cards/2026-01-05.png").exists()
    assert "media/a.png" in world.read("highlights/with/index.html")
    world.issue("2026-01-05", f"{PICTURE}\n## Without {{#without}}\n\nText.\n")
    world.build()
    assert (world.public / "cards/2026-01-05.png").exists()
    assert "cards/2026-01-05.png" in world.read("highlights/without/index.html")
    assert "cards/2026-01-05.png" not in world.read("issues/2026-01-05/index.html")


def test_a_new_title_makes_a_new_card(world: World) -> None:
    world.issue("2026-01-05")
    world.build()
    before = (world.public / "cards/2026-01-05.png").read_bytes()
    world.replace("issues/2026-01-05.md", "Issue 2026-01-05", "Another title")
    world.build()
    assert (world.public / "cards/2026-01-05.png").read_bytes() != before


def test_a_font_of_the_publications_own_draws_all_cards(tmp_path: Path) -> None:
    world = World(tmp_path / "news", own_font())
    world.write("fonts/own.ttf", pillows())
    world.issue("2026-01-05")
    assert rules(world.build()) == set()


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("fonts/own.ttf", b"no font", ""),
        ("fonts/own.ttf", b"no font at all " * 500, "file"),
        ("fonts/own.ttf", b"", "it is empty"),
        ("fonts/none.ttf", None, "No such file or directory"),
        ("../own.ttf", None, "leads out"),
    ],
)
def test_a_font_that_cannot_be_used_is_a_warning_and_cards_are_drawn(
    tmp_path: Path, name: str, data: bytes | None, found: str
) -> None:
    world = World(tmp_path / "news", own_font(name))
    if data is not None:
        world.write(name, data)
    world.issue("2026-01-05")
    report = world.build()
    (problem,) = [p for p in report.problems if p.rule == "card-font-unusable"]
    assert (problem.level, problem.file) == ("warning", name)
    assert found in problem.message
    plain = World(tmp_path / "plain")
    plain.issue("2026-01-05")
    plain.build()
    card = "cards/2026-01-05.png"
    assert world.files()[card] == plain.files()[card]


def test_a_check_draws_nothing_and_still_says_what_is_wrong_with_the_font(tmp_path: Path) -> None:
    world = World(tmp_path / "news")
    world.issue("2026-01-05")
    program = (
        "import sys; from publisher.cli.run import run; status = run(['check']);"
        "sys.exit(status or ('PIL.ImageFont' in sys.modules) * 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=world.folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    own = World(tmp_path / "own", own_font())
    own.write("fonts/own.ttf", b"no font")
    own.issue("2026-01-05")
    found = check(own.folder, own.settings, NOW)
    assert "card-font-unusable" in [each.rule for each in found]


@pytest.mark.parametrize("length", [200, 1000, 3000, 6000, 9000, 12_000])
def test_a_torn_font_stops_no_card(length: int) -> None:
    try:
        cards = Cards(STYLE, pillows()[:length])
    except ValueError:
        return
    card = Card(heading="A B C", title="Every letter: quick, brown foxes", facts=(), stand_in="1")
    assert picture(cards.draw(card)).size == (1200, 630)


def test_a_mended_font_draws_the_cards_anew(tmp_path: Path) -> None:
    world = World(tmp_path / "news", own_font())
    world.write("fonts/own.ttf", b"no font")
    world.issue("2026-01-05")
    assert "card-font-unusable" in rules(world.build())
    world.write("fonts/own.ttf", pillows())
    assert rules(world.build()) == set()


def test_a_card_that_broke_off_leaves_nothing_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = Cards(STYLE)

    def write_and_break(written: _Written, pen: ImageDraw.ImageDraw, direction: str) -> None:
        pen.rectangle((0, 200, 900, 400), 255)
        raise OSError("too many bytecodes in a font")

    with monkeypatch.context() as patch:
        patch.setattr(_Written, "write_title", write_and_break)
        with pytest.raises(OSError, match="bytecodes"):
            cards.draw(CARD)
    assert cards.draw(CARD) == draw()
