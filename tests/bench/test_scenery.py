"""The bench's scenes are exact and are what their names say."""

from functools import cache

import backdrops
import numpy as np
import people
import pytest
import quality
import scenery
import things
import world
from canvas import Canvas, Strand
from scipy import ndimage

SHOTS = {shot.name: shot for shot in scenery.catalogue()}
LOSSLESS, GLASS, DUSTY = "text/logo/lossless/flat", "glass/tumbler/graded", "hard/mug/dust/white"
SMALL = [name for name in SHOTS if name.startswith("small/")]
SHADED = "shadow/bottle/graded"
HARD = ("close-crop", "in-pieces", "cast-shadow", "dust", "pen", "standing", "three-sides", "lace", "low-table")


def drawn(draw, width: int = 320, height: int = 240, **details) -> Canvas:
    """Draw a subject alone."""
    canvas = Canvas(width, height)
    draw(canvas, np.random.default_rng(5), **details)
    return canvas


@cache
def taken(name: str) -> scenery.Scene:
    """Take a shot that several tests look at."""
    return SHOTS[name].take()


def test_names_are_unique_and_begin_with_their_family() -> None:
    shots = scenery.catalogue()
    assert len({shot.name for shot in shots}) == len(shots)
    assert all(shot.name.startswith(shot.family + "/") for shot in shots)


@pytest.mark.parametrize("words", HARD)
def test_every_hard_photograph_has_its_scenes(words: str) -> None:
    assert [name for name in SHOTS if name.startswith("hard/") and words in name]


def test_the_quick_set_holds_every_family_and_a_third_of_the_shots() -> None:
    shots = scenery.catalogue()
    few = scenery.quick(shots)
    assert {shot.family for shot in few} == {shot.family for shot in shots}
    assert len(few) < 0.4 * len(shots)


def test_a_picture_is_the_composite_of_its_truth() -> None:
    """To rounding, where no camera comes between."""
    scene = taken(LOSSLESS)
    alpha = scene.alpha[..., None]
    composite = alpha * scene.colour + (1 - alpha) * scene.behind
    assert np.abs(scene.rgb - composite).max() <= 0.51


def test_a_lens_moves_no_light() -> None:
    """Subject and alpha blur alike: their sums stay, and the colour of one flat shape stays everywhere."""
    canvas = Canvas(100, 100)
    canvas.lay(canvas.ellipse(50, 50, 20, 30), (200, 80, 40))
    before = canvas.alpha.sum()
    canvas.blur(1.5)
    assert canvas.alpha.sum() == pytest.approx(before, rel=1e-4)
    assert np.abs(canvas.colour()[canvas.alpha > 0.01] - (200, 80, 40)).max() < 0.5


def test_the_camera_adds_noise_and_no_bias() -> None:
    scene = taken(GLASS)
    alpha = scene.alpha[..., None]
    error = scene.rgb - (alpha * scene.colour + (1 - alpha) * scene.behind)
    assert np.abs(error.mean(axis=(0, 1))).max() < 0.6
    assert 0.2 < error.std() < 4


@pytest.mark.parametrize(
    "name", [LOSSLESS, GLASS, DUSTY, SHADED, *(name for name in SHOTS if name.startswith("small/"))]
)
def test_values_are_in_range(name: str) -> None:
    scene = taken(name)
    assert scene.rgb.dtype == np.uint8
    assert scene.alpha.min() == 0
    assert 0.5 < scene.alpha.max() <= 1 + 1e-6
    assert scene.colour.min() >= 0
    assert scene.colour.max() <= 255
    assert not scene.colour[scene.alpha == 0].any()
    assert scene.behind.min() >= 0
    assert scene.behind.max() <= 255


def test_a_scene_depends_on_its_name_alone() -> None:
    for name in (LOSSLESS, DUSTY):
        again = SHOTS[name].take()
        assert all(np.array_equal(old, new) for old, new in zip(taken(name), again, strict=True))


@pytest.mark.parametrize("radius", [3.0, 17.3])
def test_the_alpha_of_a_disc_sums_to_its_area(radius: float) -> None:
    """Averaged fine pixels measure coverage: a picture of 100 pixels has one unit a pixel."""
    area = Canvas(100, 100).ellipse(50.2, 49.7, radius, radius).sum()
    assert np.sqrt(area / np.pi) == pytest.approx(radius, abs=0.15)


@pytest.mark.parametrize("width", [1.0, 2.0, 3.0])
def test_the_alpha_of_a_strand_sums_to_its_width(width: float) -> None:
    canvas = Canvas(200, 100)
    canvas.strands([Strand(np.array([(10.0, 12.0), (90.0, 38.0)]), width, (200, 20, 20))])
    length = np.hypot(80, 26) * canvas.unit
    assert canvas.alpha.sum() / length == pytest.approx(width, abs=0.35)
    solid = canvas.colour()[canvas.alpha > 0.99]
    assert np.abs(solid - (200, 20, 20)).max(initial=0) < 1


def test_layers_cover_what_lies_under_them() -> None:
    """Two half-transparent layers leave a quarter; the upper one gives two thirds of the colour."""
    canvas = Canvas(8, 8)
    half = np.full((8, 8), 0.5, np.float32)
    canvas.lay(half, (0, 0, 90))
    canvas.lay(half, (90, 0, 0))
    assert np.allclose(canvas.alpha, 0.75)
    assert np.allclose(canvas.colour(), (60, 0, 30))


def test_a_lit_white_body_does_not_clip() -> None:
    """Else nothing would tell it from a clipped backdrop."""
    canvas = Canvas(100, 120)
    body = canvas.ellipse(50, 60, 30, 40)
    shaded = canvas.volume(body, (244, 244, 242))
    assert shaded.max() <= 246.01
    assert np.ptp(shaded[body > 0.5]) > 30


def test_hair_is_thinner_than_four_pixels() -> None:
    rng = np.random.default_rng(0)
    strands = people.flying(Canvas(500, 600), people.hair_outline(rng), people.HAIR["red"], True, rng, 200)
    assert {strand.width for strand in strands} >= {1.0, 2.0, 3.0}
    assert max(strand.width for strand in strands) < 4


def test_hair_leaves_gaps_between() -> None:
    alpha = drawn(people.portrait, 400, 480, hair="dark").alpha
    _, gaps = ndimage.label(alpha < 0.02)
    assert gaps > 5
    assert 0.03 < ((alpha > 0.02) & (alpha < 0.98)).mean() < 0.3


@pytest.mark.parametrize(
    ("draw", "gaps"), [(things.mug, 1), (things.rings, 4), (things.scissors, 2), (people.hands_on_hips, 2)]
)
def test_gaps_are_enclosed(draw, gaps: int) -> None:
    size = (400, 480) if draw is people.hands_on_hips else (640, 480)
    assert ndimage.label(quality.enclosed(drawn(draw, *size).alpha))[1] >= gaps


@pytest.mark.parametrize("draw", [things.fruit, things.paper, people.portrait])
def test_pale_patches_are_opaque(draw) -> None:
    canvas = drawn(draw, 300, 360)
    assert canvas.pale.any()
    assert canvas.alpha[canvas.pale].min() > 0.98


def test_glass_shows_what_is_behind() -> None:
    alpha = drawn(things.tumbler).alpha
    assert ((alpha > 0.3) & (alpha < 0.95)).sum() > 0.5 * (alpha > 0.02).sum()


def test_fur_has_a_soft_outline() -> None:
    alpha = drawn(people.animal, 200, 240).alpha
    assert 0.03 < ((alpha > 0.02) & (alpha < 0.98)).mean() < 0.4


def test_a_close_crop_covers_two_thirds_of_the_border() -> None:
    alpha = SHOTS["hard/close-crop/dark/vignetted"].take().alpha
    rim = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    assert (rim > 0.5).mean() > 0.6


def test_a_backdrop_in_pieces_has_four_or_more() -> None:
    labels, count = ndimage.label(SHOTS["hard/in-pieces/cream"].take().alpha < 0.02)
    assert (ndimage.sum_labels(labels > 0, labels, np.arange(1, count + 1)) > 2000).sum() >= 4


def test_three_sides_are_left() -> None:
    alpha = SHOTS["hard/three-sides/white"].take().alpha > 0.5
    assert [side.any() for side in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])] == [False, True, True, True]


def test_shadow_and_dirt_are_backdrop() -> None:
    """They darken the backdrop and leave alpha alone."""
    shaded, dusty = taken(SHADED), taken(DUSTY)
    assert (shaded.behind[shaded.alpha == 0].min(axis=-1) < 0.85 * np.median(shaded.behind)).any()
    assert (dusty.behind[dusty.alpha == 0].min(axis=-1) < 120).any()


@pytest.mark.parametrize("kind", backdrops.KINDS)
def test_backdrops_are_smooth_but_for_their_seams(kind: str) -> None:
    behind = backdrops.backdrop(kind, 480, 640, np.random.default_rng(1))
    assert behind.shape == (480, 640, 3)
    steps = np.abs(np.diff(behind, axis=0)).max(axis=(1, 2))
    assert (steps > 6).any() == ("table" in kind)


def test_white_is_clipped() -> None:
    behind = backdrops.backdrop("white", 120, 160, np.random.default_rng(1))
    assert 0.3 < (behind.min(axis=-1) == 255).mean() < 1


def test_pictures_of_the_world_have_texture_to_the_border() -> None:
    for name in world.PAINTERS:
        picture = SHOTS[f"natural/{name}-1"].take()
        assert picture.alpha is None
        rim = np.concatenate([picture.rgb[:8].reshape(-1, 3), picture.rgb[-8:].reshape(-1, 3)]).astype(float)
        assert rim.std(axis=0).max() > 12


def test_another_draw_is_another_picture_of_the_same() -> None:
    shot = SHOTS["gaps/mug/cream"]
    one, other = shot.take(), shot.take("again")
    assert one.rgb.shape == other.rgb.shape
    assert not np.array_equal(one.behind, other.behind)
    assert np.abs(one.alpha - other.alpha).mean() < 0.2
