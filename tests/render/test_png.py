"""Pictures as files: what was put in is what readers of PNG find in it."""

import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from publisher.render.png import write_png

PALETTE = bytes(range(48))
WIDTH = 6


def line(pixels: tuple[int, ...]) -> bytes:
    return bytes(
        [0, *(high << 4 | low for high, low in zip(pixels[::2], pixels[1::2], strict=True))]
    )


LINES = st.tuples(*[st.integers(0, 15)] * WIDTH)
# Written lines, or a number of those of colour 0.
PARTS = st.lists(st.lists(LINES, min_size=1, max_size=30) | st.integers(0, 3000), min_size=1)


@given(PARTS.filter(lambda parts: any(parts)))
def test_pillow_finds_the_same_pixels(parts: list[list[tuple[int, ...]] | int]) -> None:
    rows: list[tuple[int, ...]] = []
    for part in parts:
        rows += [(0,) * WIDTH] * part if isinstance(part, int) else part
    lines = [p if isinstance(p, int) else b"".join(map(line, p)) for p in parts]
    with Image.open(BytesIO(write_png(lines, WIDTH, len(rows), PALETTE))) as image:
        assert image.size == (WIDTH, len(rows))
        assert image.mode == "P"
        assert image.getpalette() == list(PALETTE)
        assert list(image.tobytes()) == [pixel for row in rows for pixel in row]


@pytest.mark.parametrize("count", [0, 1, 2, 65_521, 70_000])
def test_the_checksum_is_that_of_all_lines(count: int) -> None:
    data = write_png([line((1, 2, 3, 4, 5, 6)), count], WIDTH, count + 1, PALETTE)
    begin = data.index(b"IDAT") + 4
    size = int.from_bytes(data[begin - 8 : begin - 4])
    # It holds the data against their checksum.
    assert len(zlib.decompress(data[begin : begin + size])) == (count + 1) * 4
