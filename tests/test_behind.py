"""Laying a cut-out over something: exact where it is opaque, rounded to the nearest value elsewhere."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_covers_and_is_cut_in_the_middle(dtype: type) -> None:
    full = np.iinfo(dtype).max
    flag = np.repeat(np.repeat((np.eye(3) * full).astype(dtype)[None], 30, axis=1), 30, axis=0)
    made = fitted(flag, 20, 20, "cover")
    assert (made.shape, made.dtype) == ((20, 20, 3), dtype)
    assert tuple(made[10, 10]) == (0, full, 0)
    assert made[0, 0, 1] > 0.8 * full


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_is_seen_whole_with_nothing_beside_it(dtype: type) -> None:
    full = np.iinfo(dtype).max
    red = np.zeros((30, 90, 3), dtype)
    red[..., 0] = full
    made = fitted(red, 30, 30, "contain")
    assert (made.shape, made.dtype) == ((30, 30, 4), dtype)
    assert (made[10:20] == (full, 0, 0, full)).all()
    assert not made[:10].any()
    assert not made[20:].any()
    assert fitted(red, 30, 10, "contain").shape == (10, 30, 3), "where there is nothing beside it"


@pytest.mark.parametrize("fit", ["cover", "contain"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_are_scaled_as_8_bits_but_finer(channels: int, fit: Literal["cover", "contain"]) -> None:
    y, x = np.mgrid[:90, :120] / 120
    planes = np.stack([x, y, (x + y) / 2, 0.2 + 0.6 * x], axis=-1)[..., :channels]
    deep = (planes * 65535).round().astype(np.uint16)
    made, plain = fitted(deep, 50, 30, fit), fitted((planes * 255).round().astype(np.uint8), 50, 30, fit)
    assert made.shape == plain.shape
    weight = plain[..., 3:] / 255 if plain.shape[2] == 4 else 1
    assert (np.abs(made / 257.0 - plain) * weight).max() <= 2, "8 bits are rounded three times on the way"
    assert len(np.unique(made[..., 2])) > len(np.unique(plain[..., 2]))
    assert np.array_equal(fitted(deep, 120, 90, fit), deep), "of its own size it stays as it is"


@given(arrays(np.uint16, (7, 9, 4)))
def test_what_is_clear_gives_no_colour_when_16_bits_are_scaled(pixels: np.ndarray) -> None:
    """A colour of the scaled picture lies between those of what is seen, but for the kernel's ringing."""
    pixels[..., 3] = np.where(pixels[..., 3] > 32767, 65535, 0)
    pixels[..., :3] = np.where(pixels[..., 3:] > 0, 9001, pixels[..., :3])
    made = fitted(pixels, 5, 4, "cover")
    assert (np.abs(made[made[..., 3] > 655, :3].astype(int) - 9001) <= 2).all()
