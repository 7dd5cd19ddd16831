"""The method ``auto`` on scenes whose alpha is known."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bgwatch import remove_background


def mae(alpha: NDArray[np.float32], truth: NDArray[np.uint8]) -> float:
    """Mean absolute error of alpha, times 1000."""
    return float(np.abs(alpha - truth[..., 3] / 255).mean() * 1000)


def iou(alpha: NDArray[np.float32], truth: NDArray[np.uint8]) -> float:
    """Intersection over union of what is more than half opaque."""
    found, true = alpha > 0.5, truth[..., 3] > 127
    return float((found & true).sum() / (found | true).sum())


def over(rgba: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.float64]:
    """Lay a cut-out on a colour."""
    alpha = rgba[..., 3:] / 255
    return alpha * rgba[..., :3] + (1 - alpha) * np.array(colour)


@pytest.mark.parametrize(("name", "most", "least"), [("portrait", 12, 0.97), ("mug", 3, 0.99), ("logo", 6, 0.97)])
def test_drawn_pictures(request: pytest.FixtureRequest, name: str, most: float, least: float) -> None:
    """Alpha is near the truth, and it is sure of it."""
    scene = request.getfixturevalue(name)
    cutout = remove_background(scene.rgb)
    assert mae(cutout.alpha, scene.truth) < most
    assert iou(cutout.alpha, scene.truth) > least
    assert cutout.confidence > 0.8
    assert cutout.report.reasons == ()


LEVEL, TILTED, UPRIGHT = (1.0, 0.0, 0.7), (1.0, 0.06, 0.68), (0.05, 1.0, 0.35)


def before_two_parts(scene, down: tuple[float, float, float]) -> np.ndarray:
    """Photograph a scene's subject before two plain parts that meet in a straight seam."""
    height, width = scene.truth.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    beyond = (down[0] * y / height + down[1] * x / width > down[2])[..., None]
    behind = np.where(beyond, (150, 120, 90), (200.0, 202, 198)) + 10 * (x / width)[..., None]
    alpha = scene.truth[..., 3:] / 255
    rgb = alpha * scene.truth[..., :3] + (1 - alpha) * behind + np.random.default_rng(0).normal(0, 1.5, behind.shape)
    return rgb.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "down"),
    [("mug", LEVEL), ("mug", TILTED), ("mug", UPRIGHT), ("portrait", LEVEL), ("portrait", TILTED)],
)
def test_a_backdrop_of_two_parts(request: pytest.FixtureRequest, name: str, down: tuple[float, float, float]) -> None:
    """A wall and a table, level or tilted, and two walls that meet beside the subject: all of it is backdrop."""
    scene = request.getfixturevalue(name)
    cutout = remove_background(before_two_parts(scene, down))
    assert mae(cutout.alpha, scene.truth) < 9
    assert iou(cutout.alpha, scene.truth) > 0.97
    assert cutout.confidence > 0.5


def test_a_seam_that_the_subject_hides_on_one_side_is_no_proof(portrait) -> None:
    """Two walls that meet just beside a person may be a wall and a coat: it is unsure, not wrong."""
    cutout = remove_background(before_two_parts(portrait, UPRIGHT))
    assert cutout.confidence < 0.5
    assert any("second plain colour" in reason for reason in cutout.report.reasons)


def test_it_beats_the_articles_methods(portrait) -> None:
    """On a graded backdrop one colour or one cluster is not enough."""
    errors = {m: mae(remove_background(portrait.rgb, method=m).alpha, portrait.truth) for m in ("threshold", "kmeans")}
    assert mae(remove_background(portrait.rgb).alpha, portrait.truth) < min(errors.values()) / 4


def test_gaps_open_and_white_stays(portrait, mug) -> None:
    """The gap of the bent arm and the ring of the handle open; shirt, teeth and the mug's spot stay."""
    cut = remove_background(portrait.rgb).alpha
    assert cut[600, 160] == 0
    assert cut[520:600, 290:310].min() == 1
    assert cut[300, 300] == 1
    cut = remove_background(mug.rgb).alpha
    assert cut[190, 310] == 0
    assert cut[195:220, 175:200].min() == 1


@pytest.mark.parametrize(("holes", "handle", "spot"), [("auto", 0, 1), ("open", 0, 1), ("fill", 1, 1)])
def test_holes(mug, holes: str, handle: int, spot: int) -> None:
    """``fill`` keeps what is enclosed; ``open`` needs a backdrop colour, which the cream spot has not."""
    alpha = remove_background(mug.rgb, holes=holes).alpha
    assert alpha[190, 310] == handle
    assert alpha[208, 187] == spot


def test_open_takes_what_auto_doubts(disc: Callable) -> None:
    """A blurred spot of the backdrop's colour has no sharp rim: kept on evidence, opened on demand."""
    rgb, _ = disc(radius=60, noise=0)
    y, x = np.mgrid[0:160, 0:160] - 79.5
    glow = 0.99 * np.exp(-(x**2 + y**2) / 900)[..., None]
    lit = rgb * (1 - glow) + np.array([200, 202, 198]) * glow
    rgb = np.round(lit + np.random.default_rng(0).normal(0, 1, lit.shape)).astype(np.uint8)
    assert remove_background(rgb).alpha[80, 80] == 1
    assert remove_background(rgb, holes="open").alpha[80, 80] == 0


def test_the_user_may_name_the_backdrop(disc: Callable) -> None:
    """Named blue, the frame of another colour is subject; unnamed, the border decides."""
    rgb, alpha = disc(subject=(200, 202, 198), behind=(40, 80, 160))
    assert remove_background(rgb).alpha[80, 80] == 1
    named = remove_background(rgb, backdrop="#c8cac6").alpha
    assert named[80, 80] == 0
    assert named[5, 5] == 1
    assert np.abs(remove_background(rgb, backdrop="#2850a0").alpha - alpha).mean() < 0.005


def test_the_first_pixel_may_name_the_backdrop(disc: Callable) -> None:
    """A border that is mostly another colour is outvoted."""
    rgb, _ = disc(radius=30)
    rgb[:, 60:] = (30, 30, 34)
    alpha = remove_background(rgb, backdrop="first-pixel").alpha
    assert alpha[3, 3] == 0
    assert alpha[3, 150] == 1


def test_a_named_colour_that_is_not_there_removes_nothing(disc: Callable) -> None:
    """And the confidence says so."""
    cutout = remove_background(disc()[0], backdrop="#00ff00")
    assert cutout.alpha.min() == 1
    assert cutout.confidence < 0.5


def test_opaque_pixels_keep_their_colour_and_clear_ones_lose_it(portrait) -> None:
    """Bit for bit."""
    rgba = remove_background(portrait.rgb).rgba
    opaque, clear = rgba[..., 3] == 255, rgba[..., 3] == 0
    assert opaque.mean() > 0.3
    assert np.array_equal(rgba[..., :3][opaque], portrait.rgb[opaque])
    assert not rgba[clear].any()


@pytest.mark.parametrize("behind", [(200, 202, 198), (30, 160, 60)])
def test_edges_carry_the_subjects_colour_alone(disc: Callable, behind: tuple[int, int, int]) -> None:
    """Laid on magenta, the edge is a mix of subject and magenta, without a rim of the old backdrop."""
    rgb, alpha = disc(subject=(60, 50, 120), behind=behind, noise=1)
    rgba = remove_background(rgb).rgba
    edge = (alpha > 0.05) & (alpha < 0.95)
    wanted = alpha[..., None] * np.array([60, 50, 120]) + (1 - alpha[..., None]) * np.array([255, 0, 255])
    clean = np.abs(over(rgba, (255, 0, 255)) - wanted)[edge].mean()
    fringed = np.abs(over(np.dstack([rgb, rgba[..., 3]]), (255, 0, 255)) - wanted)[edge].mean()
    assert clean < min(6, fringed / 2)


def test_a_sharpened_outline_leaves_no_pale_rim() -> None:
    """A camera's sharpening brightens the backdrop around a dark cap, also in a picture of 130 pixels."""
    y, x = np.mgrid[0:133, 0:110]
    away = np.hypot(x - 55, y - 70) - 34
    cap = np.clip(0.5 - away, 0, 1)[..., None]
    halo = 26 * np.exp(-((away - 1.5) ** 2) / 1.2)[..., None]
    clean = cap * np.array((28, 30, 44.0)) + (1 - cap) * (np.array((196, 198, 196.0)) + halo)
    rgb = (clean + np.random.default_rng(0).normal(0, 1.5, clean.shape)).clip(0, 255).astype(np.uint8)
    rgba = remove_background(rgb).rgba
    pale = rgba[..., :3].mean(axis=-1) > 120
    assert rgba[pale][:, 3].max() < 64
    assert rgba[60:80, 40:70, 3].min() == 255


def test_thin_strokes_are_kept(disc: Callable) -> None:
    """Letters have no inside, and are found all the same."""
    rgb, _ = disc(radius=0, noise=1)
    rgb[40:120, 40:43] = rgb[40:43, 40:100] = (20, 20, 30)
    alpha = remove_background(rgb).alpha
    assert alpha[60, 41] > 0.9
    assert alpha[41, 80] > 0.9
    assert (alpha > 0.1).mean() < 0.03


def test_transparency_of_the_input_is_kept(disc: Callable) -> None:
    """The result's alpha is the product of both, and transparent pixels are no evidence."""
    rgb, truth = disc()
    given = np.full(truth.shape, 255, np.uint8)
    given[70:90] = 128
    given[:, :30] = 0
    rgb[given == 0] = (255, 0, 0)
    rgba = remove_background(np.dstack([rgb, given])).rgba
    assert np.abs(rgba[..., 3] / 255 - truth * given / 255).mean() < 0.005
    assert not rgba[:, :30].any()


def test_a_cut_out_picture_stays_as_it_is(disc: Callable) -> None:
    """Where the whole border is transparent nothing says what the backdrop is."""
    rgb, truth = disc()
    given = np.dstack([rgb, np.round(truth * 255).astype(np.uint8)])
    given[given[..., 3] == 0] = 0
    cutout = remove_background(given)
    assert np.array_equal(cutout.rgba, given)
    assert cutout.confidence == 0
    assert "border" in cutout.report.reasons[0]


def test_sixteen_bits(disc: Callable) -> None:
    """Structure is that of the upper 8 bits; opaque colours keep all 16, and so do the edges' colours."""
    rgb, truth = disc()
    deep = (rgb.astype(np.uint16) << 8) + np.random.default_rng(1).integers(0, 256, rgb.shape).astype(np.uint16)
    before = deep.copy()
    rgba = remove_background(deep).rgba
    assert rgba.dtype == np.uint16
    assert np.array_equal(deep, before)
    opaque = rgba[..., 3] == 65535
    assert np.array_equal(rgba[..., :3][opaque], deep[opaque])
    assert np.abs(rgba[..., 3] / 65535 - truth).mean() < 0.005
    soft = (rgba[..., 3] > 0) & ~opaque
    assert len(np.unique(rgba[..., :3][soft] & 255)) > 50


def test_grey_and_colour_agree(disc: Callable) -> None:
    """A grey picture may come as (H, W), as RGB or as a PIL image of mode L."""
    grey = disc(subject=(60, 60, 60), behind=(200, 200, 200))[0][..., 0]
    as_rgb = remove_background(np.dstack([grey] * 3)).rgba
    assert np.array_equal(remove_background(grey).rgba, as_rgb)
    assert np.array_equal(remove_background(Image.fromarray(grey)).rgba, as_rgb)


def test_larger_pictures_find_the_same_subject(disc: Callable) -> None:
    """A picture that is looked at through a reduced copy is solved at its own size."""
    rgb, truth = disc(size=1700, radius=500, noise=3)
    alpha = remove_background(rgb).alpha
    assert np.abs(alpha - truth).mean() < 0.001
    soft = (truth > 0.2) & (truth < 0.8)
    assert np.abs(alpha - truth)[soft].mean() < 0.1


def test_the_headshots(headshots: list[NDArray[np.uint8]]) -> None:
    """Sure, the corners clear, the face whole."""
    for rgb in headshots:
        cutout = remove_background(rgb)
        assert cutout.confidence > 0.5
        assert cutout.alpha[:20, :8].max() == 0
        assert cutout.alpha[:20, -8:].max() == 0
        assert cutout.alpha[50:115, 38:72].min() == 1
