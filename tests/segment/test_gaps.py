"""See-through places inside the subject: curls and loops of hair, hairlines of a second ink, printed shirts."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bgwatch import remove_background
from bgwatch.segment.gaps import see_through
from bgwatch.segment.islands import backdrop_islands
from bgwatch.segment.own import even_colours, own_colours
from bgwatch.segment.planes import length
from bgwatch.segment.smoothing import carried, one_sided

GREY, DARK, RED = (190, 192, 190), (34, 26, 24), (190, 40, 50)


def picture(paint, alpha_of=None, size: int = 480) -> NDArray[np.uint8]:
    """Paint on a grey backdrop, four times as large, and add a camera's noise."""
    image = Image.new("RGB", (size * 4, size * 4), GREY)
    paint(ImageDraw.Draw(image))
    small = np.asarray(image.resize((size, size), Image.Resampling.BOX), np.float32)
    noise = np.random.default_rng(0).normal(0, 1.5, small.shape)
    return (small + noise).clip(0, 255).astype(np.uint8)


def curl(pen: ImageDraw.ImageDraw) -> None:
    """Draw a head with a loop of hair at its side; thin hairs cross the loop, so that no pixel in it is backdrop."""
    pen.ellipse((500, 500, 1420, 1420), DARK)
    pen.ellipse((1340, 800, 1580, 1080), outline=DARK, width=22)
    for x in range(1350, 1580, 7):
        pen.line((x, 800, x - 60, 1080), tuple(np.mean([GREY, DARK], axis=0).astype(int)), 2)


def test_one_sees_through_a_loop_of_hair() -> None:
    """Enclosed, never quite of the backdrop's colour, and still no part of the head."""
    alpha = remove_background(picture(curl)).alpha
    inside = alpha[215:255, 362:385]
    assert inside.mean() < 0.6
    assert remove_background(picture(curl), holes="fill").alpha[215:255, 362:385].mean() > inside.mean() + 0.25
    assert alpha[180:300, 150:300].min() == 1


def test_a_hairline_of_another_ink_is_opaque() -> None:
    """It touches a thick letter, and no mix of paper and letter gives its colour."""
    image = Image.new("RGB", (360, 220), (236, 238, 242))
    pen = ImageDraw.Draw(image)
    pen.ellipse((120, 40, 240, 160), (26, 64, 140))
    pen.line((40, 160, 320, 160), (240, 128, 24), 2)
    alpha = remove_background(np.asarray(image)).alpha
    assert alpha[160, 50:310].min() == 1
    assert alpha[150, 60] == 0


def test_a_pattern_is_not_opened_where_most_of_it_is_none() -> None:
    """Some spots of a printed shirt come near the backdrop by chance; a few of many are no gaps."""
    shades = np.random.default_rng(3).uniform(3, 5, 64)
    shades[:6] = 0

    def shirt(pen: ImageDraw.ImageDraw) -> None:
        pen.rectangle((400, 300, 1520, 1920), RED)
        for number, shade in enumerate(np.random.default_rng(4).permutation(shades)):
            x, y = 560 + 110 * (number % 8), 460 + 170 * (number // 8)
            pen.rectangle((x, y, x + 40, y + 40), tuple(int(level + shade) for level in GREY))

    assert remove_background(picture(shirt)).alpha[105:470, 130:370].min() == 1


def planes(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Put luma differences into planes without chroma."""
    return np.stack([values, 0 * values, 0 * values]).astype(np.float32)


def test_the_way_from_dark_to_pale_is_not_seen_through() -> None:
    """It passes through the backdrop's colour, but what lies around is on both sides of it."""
    x = np.arange(40) * np.ones((40, 1))
    crossing, gap = planes((x - 19.5) * 8.0), planes(np.where(abs(x - 19.5) < 3, 0, -90.0))
    ones, zeros = np.ones((40, 40), np.float32), np.zeros((40, 40), np.float32)
    distance, strange = ones, zeros
    assert not see_through(one_sided(crossing, 11), distance, zeros, strange, zeros, "auto")[20, 17:23].any()
    assert see_through(one_sided(gap, 11), distance, zeros, strange, zeros, "auto")[20, 18:22].all()
    assert not see_through(one_sided(gap, 11), distance, zeros, strange, ones, "auto").any()
    assert not see_through(one_sided(gap, 11), distance, zeros, strange, zeros, "fill").any()


def test_one_sided_is_a_share() -> None:
    same, turned = np.full((20, 20), -50.0), np.where(np.arange(20) % 2, 50.0, -50.0) * np.ones((20, 1))
    same, opposed = planes(same), planes(turned)
    assert one_sided(same, 5).min() == pytest.approx(1)
    assert one_sided(opposed, 6)[4:-4, 4:-4].max() < 0.1


def test_what_stands_out_and_nothing_explains_is_its_own() -> None:
    residual = planes(np.zeros((20, 20)))
    residual[1, 9:11] = 120
    residual[1, 8] = residual[1, 11] = 60
    miss = np.where(residual[1] > 0, 200, 0).astype(np.float32)
    own = own_colours(length(residual), miss)
    assert own[9:11].all()
    assert own.sum() == 40
    assert not own_colours(length(residual), 0 * miss).any()


def test_a_shaded_rod_is_opaque_and_hair_is_not() -> None:
    """Both lie on the line from black to their brightest colour; only one of them changes slowly."""
    shade = np.interp(np.arange(40), (0, 9, 10, 30), (0, 0, 40, 120)) * np.ones((40, 1))
    even = even_colours(planes(shade), length(planes(shade)))
    assert even[:, 14:38].all()
    assert not even[:, :10].any()
    stripes = planes(np.where(np.arange(40) % 4 < 2, 40.0, 120.0) * np.ones((40, 1)))
    assert not even_colours(stripes, length(stripes)).any()


def clouded(strength: float) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Give a wall with clouds, an even course, and sure backdrop; a dark ring encloses 400 pixels of the wall."""
    y, x = np.mgrid[0:120, 0:120]
    colours = planes(150 + strength * np.sin(x / 9) * np.cos(y / 11))
    far = np.maximum(abs(x - 60), abs(y - 60))
    colours[:, (far >= 12) & (far < 22)] = np.array([40, 30, -20], np.float32)[:, None]
    return colours, planes(np.full((120, 120), 150.0)), far > 24


def test_an_island_strays_as_the_backdrop_does() -> None:
    """In light, not in hue, and only where the backdrop strays at all."""
    colours, course, sure = clouded(20)
    inside = np.s_[52:69, 52:69]
    assert backdrop_islands(colours, course, sure)[inside].mean() > 0.8
    assert backdrop_islands(colours, course, sure)[sure].sum() == 0
    even, *rest = clouded(1)
    assert not backdrop_islands(even, *rest).any()
    colours[1, 45:76, 45:76] += 12
    assert not backdrop_islands(colours, course, sure).any()


def test_gaps_before_clouds_are_opened() -> None:
    """Though no surface fitted around the subject foretells how light the wall is behind it."""
    y, x = np.mgrid[0:480, 0:480]
    wall = 150 + 26 * np.sin(x / 31) * np.cos(y / 37)
    far = np.hypot(x - 240, y - 240)
    rgb = np.where(((far > 60) & (far < 150))[..., None], RED, wall[..., None] + np.array([-14, 0, 24]))
    noise = np.random.default_rng(1).normal(0, 1.2, rgb.shape)
    alpha = remove_background((rgb + noise).clip(0, 255).astype(np.uint8)).alpha
    assert alpha[far < 56].max() < 0.1
    assert alpha[(far > 66) & (far < 144)].min() > 0.95


@pytest.mark.parametrize("begins", [330, 380])
def test_a_low_table_is_backdrop_too(begins: int) -> None:
    """Though little of it touches the sides that vote."""
    y, x = np.mgrid[0:480, 0:640]
    rgb = np.where((y > begins + x / 80)[..., None], (150, 118, 84), (176, 184, 192)).astype(float)
    mug = (abs(x - 320) < 110) & (y > 90) & (y < 445)
    rgb[mug] = (40, 60, 150)
    noise = np.random.default_rng(3).normal(0, 1.2, rgb.shape)
    cutout = remove_background((rgb + noise).clip(0, 255).astype(np.uint8))
    assert np.abs(cutout.alpha - mug).mean() < 0.004
    assert cutout.confidence > 0.8


def test_two_lights_that_hair_cuts_apart_are_one_backdrop() -> None:
    """A lock reaches the upper border between them."""
    y, x = np.mgrid[0:480, 0:480]
    blue = 1 / (1 + np.exp(-(x - 240) / 40.0))
    wall = (1 - blue)[..., None] * np.array([206, 180, 150]) + blue[..., None] * np.array([150, 166, 204])
    inside = ((np.hypot(x - 240, y - 300) < 130) & (y < 420)) | ((abs(x - 290) < 9) & (y < 300))
    noise = np.random.default_rng(2).normal(0, 1.2, wall.shape)
    rgb = (np.where(inside[..., None], DARK, wall) + noise).clip(0, 255).astype(np.uint8)
    cutout = remove_background(rgb)
    assert np.abs(cutout.alpha - inside).mean() < 0.004
    assert cutout.confidence > 0.8


def test_carried_values_reach_everywhere() -> None:
    """From the nearest known pixels, and from both sides in the middle."""
    known = np.zeros((30, 60), bool)
    known[:, :5] = known[:, -5:] = True
    values = planes(np.where(np.arange(60) < 30, 10.0, 30.0) * np.ones((30, 1)))
    spread = carried(values, known, (2.0, 10.0))
    assert np.abs(spread[0][:, :6] - 10).max() < 0.01
    assert np.abs(spread[0][:, -6:] - 30).max() < 0.01
    assert 15 < spread[0, 15, 30] < 25
