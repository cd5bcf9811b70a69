"""Cards: the pictures that social networks and messengers show beside a link, drawn with Pillow.

No browser is needed for them. A card never shows a letter that its font lacks: what cannot be
written is left out, and the day in digits stands in its place.
"""

import re
import unicodedata
from functools import cached_property, lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from publisher.render.card_lines import Size, fit
from publisher.render.png import write_png

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

# What Open Graph and the large card of Twitter ask for: 1.91 to 1.
WIDTH, HEIGHT = 1200, 630
_MARGIN = 88
_ROOM = WIDTH - 2 * _MARGIN
_BAND = 16
# Two pixels, which make the byte that each line of a PNG begins with.
_EDGE = 2
_GAP = 40
_HEADING_TOP, _TITLE_TOP, _TITLE_BOTTOM, _FACTS_TOP = 72, 150, 500, HEIGHT - 104
_SIZES = (Size(92, 2), Size(80, 3), Size(68, 4), Size(56, 5), Size(46, 6))
_SMALL = (Size(34, 1),)
# Widths grow with the letters: a text is measured once, in letters of this size.
_MEASURED = 100
_KEPT_WIDTHS = 20_000  # words and characters come again and again
_NO_CHARACTER = "\uffff"  # Unicode keeps it free, so no font has it
# What may be left out where a font lacks it: symbols (emoji too), controls, and what has no letter.
_SYMBOLS = frozenset({"So", "Sk", "Cf", "Cc", "Co", "Cn"})

_COLOURS = {"sheet": "ffffff", "ink": "1d1b18", "faint": "5f5a52", "accent": "9b2c1f"}
# 16 colours pack two pixels into a byte: the sheet's, and so many steps from it to each of these.
_STEPS = {"ink": 6, "faint": 4, "accent": 4}
# Between which heights each of them stands.
_LAYERS: dict["_Layer", tuple[int, int]] = {
    "accent": (_BAND, 130),
    "ink": (130, _FACTS_TOP),
    "faint": (_FACTS_TOP, HEIGHT),
}
# Written with other letters rather than left out, where a font lacks them.
_PLAIN = str.maketrans({"–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "…": "..."})
# Scripts whose letters change with their neighbours, or run from right to left.
_SHAPED = re.compile(
    "[\u0590-\u109f\u1780-\u18af\u1a00-\u1aaf\ua840-\ua87f\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)

_Layer = Literal["ink", "faint", "accent"]


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says: `heading` above, `title` large, and `facts` below, each with a plain form.

    `stand_in` is shown large where the title cannot be written: digits.
    """

    heading: str
    title: str
    facts: tuple[tuple[str, str], ...]
    stand_in: str
    direction: str = "ltr"


class Cards:
    """Draws cards in the colours of a stylesheet; `font` is a font file's content, or empty.

    They are written on the same sheet, one after another: a new one for each would take longer than
    its letters. Raises ValueError where the font cannot be used.
    """

    def __init__(self, stylesheet: bytes, font: bytes = b"") -> None:
        self._stylesheet = stylesheet.decode("utf-8", "replace")
        self._typefaces = (*([_Typeface(font)] if font else []), _Typeface(b""))
        self._heading: tuple[tuple[str, str], _Piece | None] | None = None

    def draw(self, card: Card) -> bytes:
        """Draw a card as a PNG of 1200 by 630 pixels."""
        # First how much of each pixel the letters cover, then which colour that is.
        letters = self._letters
        letters.paste(0, (0, 0, WIDTH, HEIGHT))  # one that broke off may have left something
        self._write_card(letters, card)
        stripes: list[bytes | int] = [self._band]
        end = _BAND
        for layer, (top, bottom) in _LAYERS.items():
            if written := _take_piece(letters, (0, top, WIDTH, bottom)):
                stripes += [written.box[1] - end, _colour(written, layer)]
                end = written.box[3]
        return write_png([*stripes, HEIGHT - end], WIDTH, HEIGHT, self._palette)

    @cached_property
    def _letters(self) -> "Image":
        from PIL import Image

        return Image.new("L", (WIDTH, HEIGHT), 0)

    @cached_property
    def _band(self) -> bytes:
        from PIL import Image

        band = Image.new("L", (WIDTH, _BAND), 255)
        return _colour(_Piece(band, (0, 0, WIDTH, _BAND)), "accent")

    def _write_card(self, letters: "Image", card: Card) -> None:
        from PIL import ImageDraw

        pen = ImageDraw.Draw(letters)
        self._write_heading(letters, pen, card)
        title = self._choose(card.title) or self._choose(card.stand_in)
        if title:
            title.write_title(pen, card.direction)
        start = _MARGIN
        for text, plain in card.facts:
            fact = self._choose(text) or self._choose(plain)
            if fact and not (title and fact.text == title.text):
                start += fact.write_line(pen, _FACTS_TOP, card.direction, start)

    def _write_heading(self, letters: "Image", pen: "ImageDraw", card: Card) -> None:
        """Write the heading on an empty sheet, once for all cards that have the same."""
        key = (card.heading, card.direction)
        if self._heading and self._heading[0] == key:
            if known := self._heading[1]:
                letters.paste(known.letters, known.box)
            return
        if heading := self._choose(card.heading):
            heading.write_line(pen, _HEADING_TOP, card.direction)
        self._heading = key, _take_piece(letters, (0, 0, WIDTH, HEIGHT))

    def _choose(self, text: str) -> "_Written | None":
        """Choose who can write a text; None where nobody can."""
        plain = unicodedata.normalize("NFC", text)
        for typeface in self._typefaces:
            if writable := typeface.writable(plain):
                return _Written(typeface, writable)
        return None

    @cached_property
    def _palette(self) -> bytes:
        colours = {
            name: _read_colour(self._stylesheet, name) or colour
            for name, colour in _COLOURS.items()
        }
        paper = bytes.fromhex(colours["sheet"])
        blends = [
            bytes(low + (high - low) * step // steps for low, high in zip(paper, ink, strict=True))
            for layer, steps in _STEPS.items()
            for ink in [bytes.fromhex(colours[layer])]
            for step in range(1, steps + 1)
        ]
        return b"".join((paper, *blends))


class _Piece(NamedTuple):
    """What is written on a sheet, and where."""

    letters: "Image"
    box: tuple[int, int, int, int]


def _take_piece(letters: "Image", room: tuple[int, int, int, int]) -> _Piece | None:
    """The smallest piece that holds all that is written in a room as wide as the sheet."""
    found = letters.crop(room).getbbox()
    if found is None:
        return None
    left, top, right, bottom = found
    box = (left, room[1] + top, right, room[1] + bottom)
    return _Piece(letters.crop(box), box)


def _colour(piece: _Piece, layer: "_Layer") -> bytes:
    """The lines of a PNG that a piece stands in."""
    from PIL import Image

    left, top, _, bottom = piece.box
    stripe = Image.new("L", (_EDGE + WIDTH, bottom - top), 0)
    stripe.paste(piece.letters.point(_shades(layer)), (_EDGE + left, 0))
    return stripe.tobytes("raw", "L;4")


class _Written:
    """A text and the typeface that has all of its letters."""

    def __init__(self, typeface: "_Typeface", text: str) -> None:
        self.typeface = typeface
        self.text = text
        self.is_shaped = _is_shaped(text)

    def write_title(self, pen: "ImageDraw", direction: str) -> None:
        """Write it large, in the middle of its room."""
        fitted = fit(self.text, _ROOM, _SIZES, self.typeface.measure)
        leading = round(fitted.pixels * (1.4 if self.is_shaped else 1.24))
        free = _TITLE_BOTTOM - _TITLE_TOP - leading * len(fitted.lines)
        top = _TITLE_TOP + max(0, free // 2)
        for place, line in enumerate(fitted.lines):
            self._write(pen, line, (top + place * leading, fitted.pixels), direction, _MARGIN)

    def write_line(self, pen: "ImageDraw", top: int, direction: str, start: int = _MARGIN) -> int:
        """Write it small, in one line; give the room that it takes, in pixels.

        `start` is where it begins, counted from the side where lines of its direction do.
        """
        fitted = fit(self.text, _ROOM, _SMALL, self.typeface.measure)
        line = fitted.lines[0]
        self._write(pen, line, (top, fitted.pixels), direction, start)
        return round(self.typeface.measure(line) * fitted.pixels) + _GAP

    def _write(
        self, pen: "ImageDraw", line: str, where: tuple[int, int], direction: str, start: int
    ) -> None:
        """Write a line; `where` is the top of its letters and their size, in pixels."""
        top, pixels = where
        font = self.typeface.font(pixels, is_shaped=self.is_shaped)
        is_left = direction != "rtl"
        place = (start if is_left else WIDTH - start, top + pixels)
        pen.text(place, line, 255, font, anchor="ls" if is_left else "rs")


class _Typeface:
    """One font in all sizes, and which characters it has. Without `data` it is Pillow's own."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._fonts: dict[tuple[int, bool], FreeTypeFont] = {}
        self._known = {" ": True}
        self._widths: dict[str, float] = {}
        try:
            self._missing = self._glyph(_NO_CHARACTER)
            self.measure("0")
        except Exception as error:  # FreeType says in many ways that it cannot read a font
            raise ValueError(str(error) or type(error).__name__) from None

    def font(self, pixels: int, *, is_shaped: bool = False) -> "FreeTypeFont":
        key = (pixels, is_shaped)
        if key not in self._fonts:
            self._fonts[key] = _open_font(self._data, pixels, is_shaped)
        return self._fonts[key]

    def measure(self, text: str) -> float:
        """A text's width in letters of one pixel."""
        if text not in self._widths:
            if len(self._widths) >= _KEPT_WIDTHS:
                self._widths.clear()
            font = self.font(_MEASURED, is_shaped=_is_shaped(text))
            self._widths[text] = font.getlength(text) / _MEASURED
        return self._widths[text]

    def writable(self, text: str) -> str:
        """A text as this font can write it; empty where it lacks a letter of it.

        Emoji and other symbols that it lacks are left out.
        """
        if _is_shaped(text) and not _can_shape():
            return ""
        kept = " ".join("".join(c if self._has(c) else _replace(c) for c in text).split())
        return kept if all(map(self._has, kept)) else ""

    def _has(self, character: str) -> bool:
        if character not in self._known:
            try:
                self._known[character] = self._glyph(character) != self._missing
            except OSError:  # a torn font
                self._known[character] = False
        return self._known[character]

    def _glyph(self, character: str) -> tuple[tuple[int, int], bytes]:
        """The picture of one letter, which shows that it is another than the one of no letter."""
        mask = self.font(_SMALL[0].pixels).getmask(character)
        return mask.size, bytes(mask)


def _open_font(data: bytes, pixels: int, is_shaped: bool) -> "FreeTypeFont":
    from PIL import ImageFont

    if not data:
        font = ImageFont.load_default(pixels)
        assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101 - as it is where a size is given
        return font
    # Without shaping, letters stand in the same places whether this machine has raqm or not.
    engine = ImageFont.Layout.RAQM if is_shaped else ImageFont.Layout.BASIC
    return ImageFont.truetype(BytesIO(data), pixels, layout_engine=engine)


@lru_cache(maxsize=1)
def _can_shape() -> bool:
    from PIL import features

    return bool(features.check("raqm"))


def _is_shaped(text: str) -> bool:
    return _SHAPED.search(text) is not None


def _replace(character: str) -> str:
    """What stands for a character that a font lacks: itself, where it must not be left out."""
    if unicodedata.category(character) in _SYMBOLS or "\ufe00" <= character <= "\ufe0f":
        return ""
    return " " if character.isspace() else character.translate(_PLAIN)


@lru_cache(maxsize=3)
def _shades(layer: "_Layer") -> list[int]:
    """Numbers in the palette for how much of a pixel a letter covers, 0 to 255."""
    first = 1
    for name, steps in _STEPS.items():
        if name == layer:
            break
        first += steps
    return [first - 1 + step if (step := (c * steps + 127) // 255) else 0 for c in range(256)]


def _read_colour(stylesheet: str, name: str) -> str:
    """A custom property's first value, which is daylight's; empty where it is no #rrggbb."""
    match = re.search(rf"--{name}:\s*#([0-9a-fA-F]{{6}})\s*;", stylesheet)
    return match[1] if match else ""
