"""A cut-out as a picture, and in a notebook."""

import io

import numpy as np
import pytest
from PIL import Image
from scenes import disc

from bgwatch import Cutout, remove_background


def test_the_image_has_the_pixels_and_is_the_callers_own() -> None:
    cutout = remove_background(disc())
    before = cutout.rgba.copy()
    image = cutout.image
    assert image.mode == "RGBA"
    assert np.array_equal(np.asarray(image), before)
    image.putpixel((0, 0), (1, 2, 3, 4))
    assert np.array_equal(cutout.rgba, before)


def test_a_prompt_shows_a_line_and_no_pixels() -> None:
    cutout = Cutout(np.zeros((140, 120, 4), np.uint16), 0.987, remove_background(disc()).report)
    assert repr(cutout) == "<Cutout 120 x 140, uint16, confidence 0.99>"


def test_sixteen_bits_are_seen_through_their_upper_eight() -> None:
    deep = np.asarray(disc()).astype(np.uint16) * 257
    cutout = remove_background(deep)
    assert np.array_equal(np.asarray(cutout.image), cutout.rgba >> 8)


@pytest.mark.parametrize(
    ("size", "shown"), [((120, 140), (120, 140)), ((2000, 1000), (800, 400)), ((1, 3000), (1, 800))]
)
def test_a_notebook_shows_a_transparent_png_of_bounded_size(size: tuple[int, int], shown: tuple[int, int]) -> None:
    rgba = np.zeros((size[1], size[0], 4), np.uint8)
    rgba[size[1] // 2 :] = (200, 30, 40, 255)
    cutout = Cutout(rgba, 1.0, remove_background(disc()).report)
    image = Image.open(io.BytesIO(cutout._repr_png_()))
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", shown)
    assert image.getpixel((0, 0)) == (0, 0, 0, 0)
    assert image.getpixel((0, shown[1] - 1)) == (200, 30, 40, 255)
