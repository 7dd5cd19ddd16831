"""Cropping and canvas: sizes as asked, the subject inside, its pixels as they were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgwatch.errors import PictureError
from bgwatch.settings import Output
from bgwatch.writing.frame import Box, framed, padded, scaled, subject_box

ENOUGH = 10**6
KINDS = st.sampled_from([np.uint8, np.uint16])
PADDINGS = st.integers(0, 9).map(str) | st.integers(0, 50).map("{}%".format)
CANVASES = st.just("square") | st.tuples(st.integers(1, 40), st.integers(1, 40)).map("{0[0]}x{0[1]}".format)


@st.composite
def cutouts(draw: st.DrawFn) -> tuple[np.ndarray, Box]:
    """A cut-out with an opaque rectangle of noise somewhere, and where that is."""
    kind = draw(KINDS)
    width, height = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    box = Box(left, top, draw(st.integers(1, width - left)), draw(st.integers(1, height - top)))
    rgba = np.zeros((height, width, 4), kind)
    full = np.iinfo(kind).max
    noise = np.random.default_rng(draw(st.integers(0, 99))).integers(1, full, (box.height, box.width, 4), kind)
    noise[..., 3] = full
    rgba[box.top : box.top + box.height, box.left : box.left + box.width] = noise
    return rgba, box


def inside(rgba: np.ndarray, box: Box) -> np.ndarray:
    return rgba[box.top : box.top + box.height, box.left : box.left + box.width]


@given(cutouts(), PADDINGS)
def test_a_crop_is_the_subject_with_the_room_that_was_asked_for(given: tuple[np.ndarray, Box], padding: str) -> None:
    rgba, box = given
    made, found = framed(rgba, Output(crop=True, crop_padding=padding), ENOUGH)
    longer = max(box.width, box.height)
    room = round(float(padding[:-1]) / 100 * longer) if padding.endswith("%") else int(padding)
    assert found
    assert made.dtype == rgba.dtype
    assert made.shape == (box.height + 2 * room, box.width + 2 * room, 4)
    assert np.array_equal(inside(made, Box(room, room, box.width, box.height)), inside(rgba, box))
    assert np.count_nonzero(made[..., 3]) == box.width * box.height


@given(cutouts(), CANVASES, st.booleans(), PADDINGS)
def test_a_canvas_has_its_size_and_the_subject_in_the_middle(
    given: tuple[np.ndarray, Box], canvas: str, crop: bool, padding: str
) -> None:
    rgba, box = given
    made, _ = framed(rgba, Output(canvas=canvas, crop=crop, crop_padding=padding), ENOUGH)
    if canvas != "square":
        assert f"{made.shape[1]}x{made.shape[0]}" == canvas
    else:
        assert made.shape[0] == made.shape[1]
        assert crop or made.shape[0] == max(rgba.shape[:2])
    fits = all(side <= room for side, room in zip(padded(box, padding)[2:], made.shape[1::-1], strict=True))
    found = subject_box(made[..., 3], 0.5)
    if found is None:
        assert not fits, "only of a thin subject made much smaller nothing is more than half opaque"
        return
    assert found.width <= box.width
    assert found.height <= box.height
    assert not fits or np.array_equal(inside(made, found), inside(rgba, box)), "what is not scaled stays as it is"
    for start, length, side in zip(found[:2], found[2:], made.shape[1::-1], strict=True):
        assert abs(2 * start + length - side) <= 3, "in the middle, but for rounding"


@given(cutouts(), st.integers(1, 4))
def test_a_small_subject_is_enlarged_only_when_asked(given: tuple[np.ndarray, Box], times: int) -> None:
    rgba, box = given
    canvas = f"{times * box.width}x{times * box.height}"
    stays, _ = framed(rgba, Output(canvas=canvas, crop=True), ENOUGH)
    grows, _ = framed(rgba, Output(canvas=canvas, crop=True, enlarge=True), ENOUGH)
    assert np.count_nonzero(stays[..., 3]) == box.width * box.height
    assert stays.shape == grows.shape
    assert (grows[..., 3] == np.iinfo(rgba.dtype).max).all()


@given(cutouts(), st.integers(1, 35), st.integers(1, 35))
def test_scaling_makes_no_colour_that_was_not_there(given: tuple[np.ndarray, Box], width: int, height: int) -> None:
    """Neither the black under what is transparent nor an overshoot is seen beside the subject."""
    rgba, _ = given
    rgba[..., :3] = np.where(rgba[..., 3:] > 0, 200, 0)
    made = scaled(rgba, width, height)
    assert set(np.unique(made[made[..., 3] > 0][:, :3])) <= {200}
    assert not made[made[..., 3] == 0].any()


@pytest.mark.parametrize("crop", [False, True])
def test_a_shadow_that_fades_out_around_the_subject_is_not_cut_off_on_a_canvas(crop: bool) -> None:
    rgba = np.zeros((20, 40, 4), np.uint8)
    rgba[5:15, 10:20] = 255
    rgba[5:15, 20:30] = (9, 9, 9, 10)  # less opaque than crop_alpha
    made, _ = framed(rgba, Output(canvas="40x20", crop=crop), ENOUGH)
    assert np.array_equal(made[:, 15:35], rgba[:, 10:30])
    assert not made[:, :15].any()
    assert not made[:, 35:].any()


def test_where_nothing_is_left_the_whole_picture_is_taken() -> None:
    rgba = np.zeros((6, 9, 4), np.uint8)
    made, found = framed(rgba, Output(crop=True, crop_padding="3"), ENOUGH)
    assert (made.shape, found) == (rgba.shape, False)


@pytest.mark.parametrize(
    "asked", [{"canvas": "99999x99999"}, {"crop": True, "crop_padding": "99999"}, {"canvas": "1001x1000"}]
)
def test_a_result_of_too_many_pixels_is_refused(asked: dict[str, object]) -> None:
    rgba = np.full((3, 4, 4), 255, np.uint8)
    with pytest.raises(PictureError, match=r"^crop and canvas make \d+ x \d+ pixels, more than max_pixels \(1000000\)"):
        framed(rgba, Output(**asked), ENOUGH)  # type: ignore[arg-type]


def test_a_huge_padding_and_a_thin_canvas_cost_no_memory() -> None:
    """Only what is seen of the picture is scaled, however large the box around the subject is."""
    rgba = np.full((300, 2, 4), 255, np.uint8)
    assert framed(rgba, Output(canvas="10x10", crop_padding="99999"), ENOUGH)[0].shape == (10, 10, 4)
    assert framed(rgba, Output(canvas="99999x10"), ENOUGH)[0].shape == (10, 99999, 4)
