"""Images: taken where they are images, cleaned, named safely, shown without danger."""

import re
from collections.abc import Iterator
from io import BytesIO

import PIL.Image
import pytest

from publisher.site.images import MOST_PIXELS
from tests.web.console.desks import DRAFT, run_desk, tidy, upload
from tests.web.console.site import Browser, Console

ALT = 'A ship <b>"at"</b> the quay, 港口'


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with run_desk(tmp_path_factory.mktemp("desk")) as console:
        yield console


@pytest.fixture(scope="module")
def editor(shared: Console) -> Browser:
    return shared.enter("editor")


@pytest.fixture
def desk(shared: Console) -> Console:
    tidy(shared)
    return shared


def make(form: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    file = BytesIO()
    PIL.Image.new("RGB", size, "#7a9e9f").save(file, form, **options)
    return file.getvalue()


def _photograph() -> bytes:
    """As a telephone takes it: turned, with the place where it was taken, and a maker's words."""
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SECRET-MAKER"
    exif.get_ifd(0x8825)[2] = (59.0, 54.0, 1.0)
    return make("JPEG", exif=exif, comment=b"SECRET-COMMENT") + b"<script>SECRET-TAIL</script>"


def _files(desk: Console) -> list[str]:
    return sorted(path.name for path in (desk.folder / "media").iterdir())


@pytest.mark.parametrize(
    ("form", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif")]
)
def test_an_image_is_added_with_its_alt_text(
    desk: Console, editor: Browser, form: str, suffix: str
) -> None:
    answer = upload(editor, "/media", {"alt": ALT}, ("Hafen Süd.bin", make(form)))
    assert answer.status == 303
    assert _files(desk) == [f"hafen-sud{suffix}"]
    page = editor.get(answer.headers["location"])
    assert (
        f"![A ship &lt;b&gt;&#34;at&#34;&lt;/b&gt; the quay, 港口](media/hafen-sud{suffix})"
        in page.text
    )
    shown = editor.get(f"/media/hafen-sud{suffix}")
    assert shown.headers["content-type"].startswith("image/")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert PIL.Image.open(BytesIO(shown.body)).size == (40, 30)
    assert desk.done()[0][1:] == ("image added", f"media/hafen-sud{suffix}")


def test_nothing_travels_with_a_photograph_but_which_way_is_up(
    desk: Console, editor: Browser
) -> None:
    upload(editor, "/media", {"alt": "A quay"}, ("x.jpg", _photograph()))
    data = (desk.folder / "media" / "x.jpg").read_bytes()
    assert b"SECRET" not in data
    exif = PIL.Image.open(BytesIO(data)).getexif()
    assert (exif[0x0112], dict(exif.get_ifd(0x8825))) == (6, {})


def test_a_moving_image_still_moves(desk: Console, editor: Browser) -> None:
    frames = [PIL.Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    for form in ("GIF", "WEBP"):
        file = BytesIO()
        frames[0].save(file, form, save_all=True, append_images=frames[1:], duration=70, loop=0)
        upload(editor, "/media", {"alt": "Lights"}, ("x", file.getvalue()))
    for name in _files(desk):
        with PIL.Image.open(desk.folder / "media" / name) as image:
            assert getattr(image, "n_frames", 1) == 3


@pytest.mark.parametrize(
    "name",
    [
        "../../issues/2026-01-05.md",
        "..\\..\\x.jpg",
        "/etc/passwd",
        ".htaccess",
        "<img src=x onerror=alert(1)>.jpg",
        "{{ 7*7 }}.jpg",
        "a\x01b.jpg",
        "x" * 300 + ".jpg",
        "图片.jpg",
        "CON.jpg.html",
    ],
)
def test_names_are_made_safe(desk: Console, editor: Browser, name: str) -> None:
    raw = name.encode().decode("latin-1")
    answer = upload(editor, "/media", {"alt": "A ship"}, (raw, make("JPEG")))
    assert answer.status == 303
    (found,) = _files(desk)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}\.jpg", found)
    assert [p.name for p in (desk.folder / "issues").iterdir()] == ["2026-01-05.md"]


def test_no_image_replaces_another(desk: Console, editor: Browser) -> None:
    for _ in range(3):
        upload(editor, "/media", {"alt": "A ship"}, ("ship.jpg", make("JPEG")))
    (desk.folder / "media" / "ship-4.jpg").symlink_to("/nowhere")
    upload(editor, "/media", {"alt": "A ship"}, ("ship.jpg", make("JPEG")))
    assert _files(desk) == ["ship-2.jpg", "ship-3.jpg", "ship-4.jpg", "ship-5.jpg", "ship.jpg"]


def _bomb() -> bytes:
    """A PNG of 400 million pixels in half a megabyte."""
    file = BytesIO()
    PIL.Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


HOSTILE = {
    "an svg": (b'<?xml version="1.0"?><svg xmlns="x" onload="alert(1)"/>', "SVG is not taken"),
    "an svg that says it is a jpeg": (b"\xff\xd8\xff<svg onload=alert(1)>", "SVG is not taken"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "no image that can be read"),
    "half an image": (make("JPEG", (500, 500))[:400], "no image that can be read"),
    "only a beginning": (b"GIF89a/*<script>", "no image that can be read"),
    "another kind": (make("BMP"), "no image that can be read"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "no image that can be read"),
    "a bomb": (_bomb(), "million pixels"),
    "too many bytes": (b"\xff\xd8\xff" + b"x" * 10_000_001, "MB"),
    "nothing": (b"", "Choose an image"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_image_is_refused_with_a_reason(
    desk: Console, editor: Browser, kind: str
) -> None:
    data, reason = HOSTILE[kind]
    answer = upload(editor, "/media", {"alt": "A ship"}, ("ship.jpg", data))
    assert (answer.status, reason in answer.text) == (422, True)
    assert 'value="A ship"' in answer.text
    assert _files(desk) == []


def test_a_polyglot_is_only_what_it_looks_like(desk: Console, editor: Browser) -> None:
    """A GIF whose bytes are a script too keeps none of them."""
    gif = make("GIF")
    polyglot = gif[:-1] + b"\x21\xfe\x0f/*alert(1)//*/=1\x00" + b";*/=1;alert(document.domain)//"
    upload(editor, "/media", {"alt": "A ship"}, ("x.gif", polyglot))
    assert b"alert" not in (desk.folder / "media" / "x.gif").read_bytes()


def test_an_alt_text_is_wanted(desk: Console, editor: Browser) -> None:
    for alt in ("", " \n ", "x" * 501):
        answer = upload(editor, "/media", {"alt": alt}, ("ship.jpg", make("JPEG")))
        assert answer.status == 422
    assert _files(desk) == []


def test_the_list_says_where_each_is_used(desk: Console, editor: Browser) -> None:
    upload(editor, "/media", {"alt": "A ship"}, ("ship.png", make("PNG")))
    issue = desk.folder / "issues" / "2026-01-05.md"
    issue.write_text(DRAFT.replace("It came in at noon.", "![A ship](media/ship.png)"))
    (desk.folder / "media" / "evil.svg").write_text("<svg onload=alert(1)>")
    page = editor.get("/media").text
    assert '<a href="/issues/2026-01-05">2026-01-05</a>' in page
    assert "a browser would run it" in page
    assert '<img class="thumb" src="/media/evil.svg"' not in page
    for path in ("/media/evil.svg", "/media/../publisher.db", "/media/%2e%2e/publisher.db"):
        assert editor.get(path).status == 404
    assert MOST_PIXELS > 10_000_000


def test_hostile_names_in_the_folder_are_only_words(desk: Console, editor: Browser) -> None:
    for name in ("<img src=x onerror=alert(1)>.png", "{{ 7*7 }}.png", "a&b'\".txt"):
        (desk.folder / "media" / name).write_bytes(make("PNG"))
    (desk.folder / "issues" / "<script>alert(1)<.md").write_text(DRAFT)
    for path in ("/media", "/issues"):
        page = editor.get(path).text
        assert "<img src=x" not in page
        assert "<script>alert" not in page
    assert "{{ 7*7 }}.png" in editor.get("/media").text


def test_a_viewer_sees_images_and_adds_none(desk: Console) -> None:
    viewer = desk.enter("viewer")
    assert viewer.get("/media").status == 200
    assert upload(viewer, "/media", {"alt": "A ship"}, ("a.jpg", make("JPEG"))).status == 403
    assert _files(desk) == []
