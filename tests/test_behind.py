"""Laying a cut-out over something: exact where it is opaque, rounded to the nearest value elsewhere."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from bgwatch.writing.behind import fitted, over, over_clear

KINDS = st.sampled_from([np.uint8, np.uint16])
PAIRS = KINDS.flatmap(lambda kind: st.tuples(*[arrays(kind, (5, 4, 4))] * 2))


def mixed(rgba: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Colours over what is opaque, in real numbers."""
    alpha = rgba[..., 3:].astype(float) / np.iinfo(rgba.dtype).max
    return rgba[..., :3] * alpha + behind[..., :3] * (1 - alpha)


@given(PAIRS)
def test_over_what_is_opaque_every_value_is_the_nearest(pair: tuple[np.ndarray, np.ndarray]) -> None:
    rgba, behind = pair
    made = over(rgba, behind[..., :3])
    assert made.dtype == rgba.dtype
    assert np.abs(made - mixed(rgba, behind)).max() <= 0.5 + 1e-9
    grey = over(rgba, behind[:1, :1, :1])
    assert grey.shape == (5, 4, 1)
    assert np.abs(grey - mixed(rgba, np.broadcast_to(behind[:1, :1], rgba.shape))[..., :1]).max() <= 0.5 + 1e-9


@given(PAIRS)
def test_what_is_opaque_stays_as_it_is_and_what_is_clear_shows_what_is_behind(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    rgba, behind = pair
    full = np.iinfo(rgba.dtype).max
    rgba[:2, :, 3], rgba[2:, :, 3] = full, 0
    for made in (over(rgba, behind[..., :3]), over_clear(rgba, behind)):
        assert np.array_equal(made[:2, :, :3], rgba[:2, :, :3])
    assert np.array_equal(over(rgba, behind[..., :3])[2:], behind[2:, :, :3])
    seen = behind[2:, :, 3] > 0
    assert np.array_equal(over_clear(rgba, behind)[2:][seen], behind[2:][seen])


@given(PAIRS)
def test_over_what_is_half_clear_colours_and_alpha_add_up(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Laid on black afterwards it is the same as both laid on black one after the other."""
    rgba, behind = pair
    full = np.iinfo(rgba.dtype).max
    made = over_clear(rgba, behind)
    expected = mixed(rgba, mixed(behind, np.zeros_like(behind)))
    assert np.abs(mixed(made, np.zeros_like(made)) - expected).max() <= 1
    mine, theirs = rgba[..., 3] / full, behind[..., 3] / full
    assert np.abs(made[..., 3] - full * (mine + theirs * (1 - mine))).max() <= 0.6


def test_a_picture_covers_and_is_cut_in_the_middle() -> None:
    flag = Image.fromarray(np.repeat(np.array([[(255, 0, 0), (0, 255, 0), (0, 0, 255)]], np.uint8), 30, axis=1))
    made = fitted(flag.resize((90, 30), Image.Resampling.NEAREST), 20, 20, "cover")
    assert (made.size, made.mode) == ((20, 20), "RGB")
    assert made.getpixel((10, 10)) == (0, 255, 0)
    assert made.getpixel((0, 0))[1] > 200  # type: ignore[index]


def test_a_picture_is_seen_whole_with_nothing_beside_it() -> None:
    made = fitted(Image.new("RGB", (90, 30), "red"), 30, 30, "contain")
    assert (made.size, made.mode) == ((30, 30), "RGBA")
    alpha = np.asarray(made)[..., 3]
    assert (alpha[10:20] == 255).all()
    assert not alpha[:10].any()
    assert not alpha[20:].any()
    assert fitted(Image.new("RGB", (9, 3)), 30, 10, "contain").mode == "RGB", "where there is nothing beside it"
