"""The sheet as a page, read as text; tests/browser looks at it."""

import base64
import hashlib
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from profiles import gamma, grey_profile
from scenes import Ended, disc

from bgwatch.sheet import Column, fitted
from bgwatch.sheet_html import SIDE, page, shown

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]
HOSTILE = '"><img src=x onerror=x>\x1b\udcff</script>.png'
SHOWN = HOSTILE.replace("\x1b", r"\x1b").replace("\udcff", r"\udcff")


class Elements(HTMLParser):
    """Every element with its attributes, and all text but style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        if self.lasttag not in ("style", "script"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def written(*columns: Column, background: str = "checkerboard") -> str:
    return b"".join(page([shown(column) for column in columns], background)).decode()


def pictures(text: str) -> list[Image.Image]:
    sources = [str(attributes["src"]).split(",") for attributes in Elements(text).all("img")]
    assert {head for head, _ in sources} == {"data:image/webp;base64"}
    return [Image.open(io.BytesIO(base64.b64decode(data))) for _, data in sources]


def test_a_page_shows_every_picture_in_the_order_given(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("b.jpg")
    draw("a.png", seed=1)
    Path("bad.jpg").write_text("no picture")
    ended = bgwatch("sheet", "b.jpg", "bad.jpg", "a.png", "-o", "new/sheet.html")
    assert (ended.code, ended.out) == (1, "new/sheet.html\n")
    assert "2 done, 1 failed in" in ended.err
    text = Path("new/sheet.html").read_text("utf-8")
    places = [text.index(f"<h2>{name}</h2>") for name in ("b.jpg", "bad.jpg", "a.png")]
    assert places == sorted(places)
    assert "<li>not a picture bgwatch reads" in text
    assert re.findall(r"(\w+) <b>(\d)</b>", text) == [("all", "3"), ("done", "2"), ("unsure", "0"), ("failed", "1")]
    before, after = pictures(text)[:2]
    assert (before.mode, after.mode) == ("RGB", "RGBA")
    assert before.size == after.size == (120, 140)
    assert np.asarray(after)[0, 0, 3] == 0
    assert np.asarray(after)[50, 60, 3] == 255


def test_the_same_pictures_make_the_same_page(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    pages = []
    for _ in range(2):
        bgwatch("sheet", ".", "-o", "sheet.htm", "--workers", 1)
        pages.append(Path("sheet.htm").read_bytes())
    assert pages[0] == pages[1]
    assert sorted(path.name for path in Path().iterdir()) == ["a.jpg", "sheet.htm"]


def test_names_and_reasons_are_text_whatever_they_are() -> None:
    image = disc().convert("RGBA")
    clean = Elements(written(Column("a.png", "unsure", image, image, 0.25, ("odd",))))
    text = written(Column(HOSTILE, "unsure", image, image, 0.25, (HOSTILE,)))
    elements = Elements(text)
    assert [tag for tag, _ in elements.found] == [tag for tag, _ in clean.found]
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert elements.text.count(SHOWN) == 2
    assert "\x1b" not in text
    alternatives = [attributes["alt"] for attributes in elements.all("img")]
    assert alternatives == [SHOWN + end for end in (", before", ", after")]


@pytest.mark.parametrize("background", ["checkerboard", "#FF00FF", "#12ab9f"])
def test_the_policy_allows_this_style_and_this_script_alone(background: str) -> None:
    text = written(Column("a.png", "failed"), background=background)
    policy = Elements(text).all("meta")[1]["content"]
    assert policy
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert not [attributes for _, attributes in Elements(text).found if "style" in attributes]


def test_the_background_asked_for_is_chosen_at_first() -> None:
    def chosen(background: str) -> list[str | None]:
        inputs = Elements(written(Column("a.png", "failed"), background=background)).all("input")
        return [each["id"] for each in inputs if each.get("name") == "background" and "checked" in each]

    assert chosen("checkerboard") == ["on-checkerboard"]
    assert chosen("#FF00ff") == ["on-magenta"]
    assert chosen("#12ab9f") == ["on-given"]
    assert chosen("#FFF") == ["on-white"]
    assert "background: #12ab9f" in written(Column("a.png", "failed"), background="#12ab9f")


def test_large_pictures_are_scaled_down_and_small_in_bytes(draw: Draw, bgwatch: Bgwatch) -> None:
    disc().resize((1200, 1400)).save("a.jpg")
    bgwatch("sheet", "a.jpg", "-o", "sheet.html")
    assert [picture.size for picture in pictures(Path("sheet.html").read_text())] == [(SIDE * 6 // 7, SIDE)] * 2
    assert Path("sheet.html").stat().st_size < 90_000


def test_a_wide_gamut_is_shown_in_srgb() -> None:
    """A profile that swaps red and green is told from one that is not looked at; a broken one costs nothing."""
    profile = swapped_srgb()
    image = Image.new("RGB", (4, 4), (200, 30, 30))
    red, green, blue = fitted(image.copy(), profile, 4).getpixel((0, 0))
    assert green > 150 > 80 > red
    broken = fitted(image.copy(), b"broken", 4)
    assert broken.getpixel((0, 0)) == (200, 30, 30)
    grey = fitted(Image.new("L", (4, 4), 55), grey_profile(gamma(1.0)), 4)
    assert grey.convert("L").getpixel((0, 0)) == pytest.approx(128, abs=2)
    clear = fitted(Image.new("RGBA", (4, 4), (200, 30, 30, 77)), profile, 4)
    assert clear.getpixel((0, 0)) == (red, green, blue, 77)


def swapped_srgb() -> bytes:
    """Give sRGB's profile with the red and green primaries exchanged."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert data.count(b"rXYZ") == data.count(b"gXYZ") == 1
    return data.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
