"""What becomes of layers in a real GIMP 3: a mask, transparency or a new layer, in every precision."""

from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.gimp]

KINDS = ("rgb", "grey")
SAMPLES = {
    "U8_NON_LINEAR": np.uint8,
    "U16_NON_LINEAR": np.uint16,
    "HALF_NON_LINEAR": np.float16,
    "FLOAT_NON_LINEAR": np.float32,
    "U16_LINEAR": np.uint16,
    "FLOAT_LINEAR": np.float32,
}
SHAPE = (121, 163)


@pytest.mark.parametrize("precision", SAMPLES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_leaves_the_layers_samples_as_they_are(session: Any, kind: str, precision: str) -> None:
    """To the bit, without and with alpha."""
    facts = session.result("masks")[f"{kind} {precision}"]
    assert facts["status"] == "success", facts["error"]
    assert facts["colours_kept"]


def test_layers_of_many_bits_are_masked(session: Any) -> None:
    """Whole numbers of 32 bits, and floats of 64."""
    for facts in session.result("masks_of_many_bits").values():
        assert facts["status"] == "success", facts["error"]
        assert facts["masks"]
        assert facts["colours_kept"]


@pytest.mark.parametrize("kind", KINDS)
def test_transparency_is_the_command_lines_cut_out(session: Any, kind: str) -> None:
    """Alpha and colours to the bit, wherever there is something to see."""
    facts = session.result("transparencies")[f"{kind} U8_NON_LINEAR"]
    assert facts["status"] == "success", facts["error"]
    assert not facts["masks"]
    assert facts["layers"] == 2
    for name in (kind, f"{kind}-alpha"):
        cutout, found = session.cutout(name), session.plane(f"{name}-U8_NON_LINEAR-seen", (*SHAPE, 4))
        np.testing.assert_array_equal(found[..., 3], cutout[..., 3])
        np.testing.assert_array_equal(found[cutout[..., 3] > 0], cutout[cutout[..., 3] > 0])


@pytest.mark.parametrize("precision", SAMPLES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alpha", ["", "-alpha"])
def test_transparency_keeps_opaque_pixels_and_frees_soft_ones(
    session: Any, kind: str, precision: str, alpha: str
) -> None:
    """Opaque pixels keep their samples to the bit; soft ones look as in the command line's cut-out."""
    assert session.result("transparencies")[f"{kind} {precision}"]["status"] == "success"
    dtype, name, colours = SAMPLES[precision], f"{kind}{alpha}", 3 if kind == "rgb" else 1
    before = session.plane(f"{name}-{precision}-before", (*SHAPE, colours + bool(alpha)), dtype)
    after = session.plane(f"{name}-{precision}-after", (*SHAPE, colours + 1), dtype)
    opaque = after[..., -1] == (np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1)
    assert opaque.sum() > 1000
    np.testing.assert_array_equal(after[opaque][:, :colours], before[opaque][:, :colours])
    cutout, seen = (
        plane.astype(int) for plane in (session.cutout(name), session.plane(f"{name}-{precision}-seen", (*SHAPE, 4)))
    )
    soft = (cutout[..., 3] > 50) & (cutout[..., 3] < 200)
    assert soft.sum() > 50
    assert np.abs(seen[soft] - cutout[soft]).max() < 10


def test_transparency_stays_within_the_selection(session: Any) -> None:
    """Outside nothing changes; inside it is the command line's."""
    assert session.result("transparency_in_a_selection")["status"] == "success"
    found, wanted = session.plane("selected-transparency", (*SHAPE, 4)), np.full((*SHAPE, 4), 255, np.uint8)
    wanted[..., :3] = session.picture("rgb")
    wanted[10:90, 20:90] = session.cutout("rgb")[10:90, 20:90]
    np.testing.assert_array_equal(found[..., 3], wanted[..., 3])
    np.testing.assert_array_equal(found[wanted[..., 3] > 0], wanted[wanted[..., 3] > 0])


def test_transparency_takes_a_mask_along(session: Any) -> None:
    """Alpha is old * (1 - s * (1 - m)) in a feathered selection, within the rounding of 8-bit steps."""
    facts = session.result("transparency_of_a_masked_layer")
    assert facts["status"] == "success", facts["error"]
    row, column = np.mgrid[: SHAPE[0], : SHAPE[1]]
    selected, found = session.plane("masked-selection", SHAPE) / 255, session.expected("rgb", "threshold") / 255
    wanted = (3 * column + row) % 256 * (1 - selected * (1 - found))
    np.testing.assert_allclose(session.plane("masked-transparency", (*SHAPE, 4))[..., 3], wanted, atol=1.01)


def test_a_palette_keeps_its_colours(session: Any) -> None:
    """Decontaminated colours are not in it."""
    facts = session.result("indexed_transparency")
    assert facts["status"] == "success", facts["error"]
    found = session.plane("indexed-transparency", (*SHAPE, 4))
    assert len(np.unique(found[..., :3].reshape(-1, 3), axis=0)) <= 16
    assert {0, 255} <= set(np.unique(found[..., 3]))


def test_a_new_layer_lies_above_the_hidden_original(session: Any) -> None:
    facts = session.result("new_layer")
    assert facts["status"] == "success", facts["error"]
    assert facts["layers"] == 2
    assert facts["original_kept"]
    assert not facts["original_shown"]
    assert not facts["masks"]
    assert facts["selected"] == ["Background without background"]
    cutout, found = session.cutout("rgb"), session.plane("new-layer", (*SHAPE, 4))
    np.testing.assert_array_equal(found[cutout[..., 3] > 0], cutout[cutout[..., 3] > 0])
    np.testing.assert_array_equal(found[..., 3], cutout[..., 3])


def test_text_stays_text_and_its_copy_is_cut(session: Any) -> None:
    """The same holds for the links and vectors of GIMP 3.2."""
    cases = session.result("special_layers")
    assert {"text layer-mask", "text new-layer"} <= set(cases)
    for case, facts in cases.items():
        assert facts["status"] == "success", facts["error"]
        assert facts["still_special"], case
        assert facts["masks"] == ([True, False] if case.endswith("mask") else [False] * 3)
    assert all(facts["first_pixel"][3] == 0 for case, facts in cases.items() if case == "link new-layer")


def test_a_copy_of_a_layer_with_a_locked_alpha_is_cut(session: Any) -> None:
    assert session.result("new_layer_of_locked_alpha")["status"] == "success"
    cutout, found = session.cutout("rgb-alpha"), session.plane("locked-alpha-new-layer", (*SHAPE, 4))
    np.testing.assert_array_equal(found[..., 3], cutout[..., 3])
    np.testing.assert_array_equal(found[cutout[..., 3] > 0], cutout[cutout[..., 3] > 0])


def test_a_filter_stays_on_its_layer(session: Any) -> None:
    facts = session.result("layer_with_a_filter")
    assert facts["status"] == "success", facts["error"]
    assert facts["filters"] == 1
    assert facts["masks"]
    assert facts["colours_kept"]


def test_each_of_several_layers_gets_its_own_mask(session: Any) -> None:
    """Whatever their sizes, kinds and places."""
    facts = session.result("several_layers")
    assert facts["status"] == "success", facts["error"]
    assert facts["colours_kept"]
    assert facts["drawables_kept"]
    assert facts["layers"] == 3
    assert not facts["undo_group_left_open"]
    for name in ("rgb", "rgb-alpha", "tall"):
        expected, picture = session.expected(name, "auto"), session.picture(name)
        own = picture[..., 3] if picture.shape[2] == 4 else np.uint16(255)
        mask = session.plane(f"several-{name}", expected.shape).astype(np.uint16)
        np.testing.assert_array_equal((mask * own + 127) // 255, expected)


def test_a_kept_shadow_is_no_error(session: Any) -> None:
    assert session.result("transparency_with_shadow")["status"] == "success"
