"""The plug-in in a real GIMP 3: what the scenarios in inside/ reported, judged."""

import re
from typing import Any

import numpy as np
import pytest
from gimp_pictures import METHODS, picture_names

import bgwatch

pytestmark = [pytest.mark.slow, pytest.mark.gimp]

REFUSALS = {
    "refused_group": "The layer “Sky & sea” is a group and has no pixels of its own: select a layer inside it.",
    "refused_locked": "The pixels of the layer “Background” are locked: unlock them",
    "refused_in_locked_group": "The pixels of the layer “Background” are locked: unlock them",
    "refused_locked_mask": "The pixels of the layer “Background” are locked: unlock them",
    "refused_mask": "works on a layer, not on a mask or a channel: click its picture in the Layers dialog.",
    "refused_channel": "works on a layer, not on a mask or a channel: click its picture in the Layers dialog.",
    "refused_one_of_two": "The pixels of the layer “Background copy” are locked: unlock them",
    "refused_no_layer": "Remove Background needs a layer: select one in the Layers dialog.",
    "refused_locked_alpha": "The alpha channel of the layer “Background” is locked: unlock it, or ask for",
    "refused_floating_selection": " is a floating selection: anchor it, or make it a layer of its own.",
    "refused_transparent": "the layer has only transparent pixels: choose another",
    "refused_large": "the layer of 30000 x 30000 pixels is larger than bgwatch takes (250000000 pixels)",
    "refused_for_another_version": "This plug-in was installed by bgwatch 0.0.1, and ",
    "refused_selection_outside": "The selection lies outside the layer “Background”",
    "refused_option": "backdrop: must be auto, first-pixel or a colour like '#c0c0c0', got 'bluish'",
    "refused_without_pointer": "does not name the Python that has bgwatch: run “bgwatch gimp install”",
    "refused_with_broken_pointer": "does not name the Python that has bgwatch: run “bgwatch gimp install”",
    "refused_without_python": "/nowhere/python, does not start (No such file or directory): run “bgwatch gimp install”",
    "refused_without_bgwatch": "ModuleNotFoundError: No module named 'bgwatch')): run “bgwatch gimp install”",
    "refused_when_the_worker_is_killed": "The bgwatch worker was ended by signal 9: try again",
}


def test_the_command_is_in_the_menu(session: Any) -> None:
    """It has the name and the place that the documentation tells."""
    facts = session.result("registered")
    assert facts["menus"] == ["<Image>/Layer/Transparency"]
    assert facts["label"] == "Remove Background by _Color..."


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", picture_names())
def test_the_mask_is_the_command_lines(session: Any, name: str, method: str) -> None:
    """Layer alpha times mask is the CLI's mask to the last bit; where the layer is opaque, the mask itself is."""
    assert_done(session.result(f"{name}-{method}"))
    expected, picture = session.expected(name, method), session.picture(name)
    mask = session.plane(f"{name}-{method}", expected.shape)
    own = (
        picture[..., -1] if picture.ndim == 3 and picture.shape[2] in (2, 4) else np.full(expected.shape, 255, np.uint8)
    )
    np.testing.assert_array_equal(mask[own == 255], expected[own == 255])
    np.testing.assert_array_equal((mask.astype(np.uint16) * own + 127) // 255, expected)


@pytest.mark.parametrize("method", METHODS)
def test_the_pictures_are_not_trivial(session: Any, method: str) -> None:
    """The masks compared above hide something and keep something."""
    mask = session.expected("rgb", method)
    assert 0.2 < np.mean(mask == 0) < 0.95
    assert np.mean(mask == 255) > 0.05


@pytest.mark.parametrize("name", ["other-profile", "sixteen-bits"])
def test_the_mask_does_not_depend_on_how_gimp_stores_the_layer(session: Any, name: str) -> None:
    """The same samples in another colour space or precision have the same mask."""
    assert_done(session.result(name.replace("-", "_")))
    expected = session.expected("rgb", "kmeans")
    np.testing.assert_array_equal(session.plane(name, expected.shape), expected)


def test_an_indexed_layer_is_cut_by_its_colours(session: Any) -> None:
    """Its mask is what the core finds in the colours that it shows."""
    assert_done(session.result("indexed"))
    shape = session.expected("rgb", "threshold").shape
    found = bgwatch.remove_background(session.plane("indexed-colours", (*shape, 3)), method="threshold")
    np.testing.assert_array_equal(session.plane("indexed", shape), found.rgba[..., 3])


def test_a_call_with_the_last_values_uses_them(session: Any) -> None:
    assert_done(session.result("with_last_values"))
    found = bgwatch.remove_background(session.picture("rgb"), method="threshold", tolerance=3)
    np.testing.assert_array_equal(session.plane("with-last-values", found.alpha.shape), found.rgba[..., 3])


@pytest.mark.parametrize(
    ("scenario", "plane"),
    [
        ("existing_mask", "existing-mask"),
        ("existing_mask_of_16_bits", "existing-mask-U16_NON_LINEAR"),
        ("existing_mask_of_floats", "existing-mask-FLOAT_LINEAR"),
    ],
)
def test_an_existing_mask_is_multiplied(session: Any, scenario: str, plane: str) -> None:
    """What a mask already hides stays hidden, in proportion."""
    assert_done(session.result(scenario))
    expected = session.expected("rgb", "threshold")
    both = (gradient(expected.shape).astype(int) * expected + 127) // 255
    np.testing.assert_array_equal(session.plane(plane, expected.shape), both)


def test_only_the_selection_changes(session: Any) -> None:
    """Outside a rectangle the new mask is white; inside it is the CLI's."""
    assert_done(session.result("rectangle_selected"))
    expected = session.expected("rgb", "threshold")
    wanted = np.full_like(expected, 255)
    wanted[10:90, 20:90] = expected[10:90, 20:90]
    np.testing.assert_array_equal(session.plane("rectangle-selected", expected.shape), wanted)


def test_a_feathered_selection_blends_the_old_mask_and_the_new(session: Any) -> None:
    """The new mask is old * (1 - s * (1 - m)), within the rounding of 8-bit steps."""
    assert_done(session.result("feathered_selection_on_a_mask"))
    found = session.expected("rgb", "threshold") / 255
    selected = session.plane("feathered-selection", found.shape) / 255
    assert np.any((selected > 0.1) & (selected < 0.9))
    wanted = gradient(found.shape) * (1 - selected * (1 - found))
    np.testing.assert_allclose(session.plane("feathered", found.shape), wanted, atol=1.01)


def test_a_moved_layer_meets_the_selection_where_it_lies(session: Any) -> None:
    """The selection counts from the canvas, the mask from the layer."""
    assert_done(session.result("offset_layer_with_selection"))
    expected = session.expected("rgb", "threshold")
    wanted = np.full_like(expected, 255)
    wanted[5:45, 30:130] = expected[5:45, 30:130]
    np.testing.assert_array_equal(session.plane("offset", expected.shape), wanted)


def test_a_layer_beside_the_canvas_is_cut_whole(session: Any) -> None:
    """Without a selection, the canvas is no limit."""
    expected = session.expected("rgb", "threshold")
    np.testing.assert_array_equal(session.plane("beside-the-canvas", expected.shape), expected)


@pytest.mark.parametrize("scenario", REFUSALS)
def test_a_refusal_is_one_sentence_and_changes_nothing(session: Any, scenario: str) -> None:
    """Colours, masks, selection and layers are as before, and no undo group is left open."""
    facts = session.result(scenario)
    assert facts["status"] == "execution-error"
    assert REFUSALS[scenario] in facts["error"]
    assert "\n" not in facts["error"].strip()
    assert facts["unchanged"]
    assert not facts["undo_group_left_open"]


def test_layers_that_are_more_than_pixels_are_not_cut(session: Any) -> None:
    """Texts and, from GIMP 3.2 on, links and vectors would be lost."""
    for facts in session.result("refused_special_layers").values():
        assert facts["status"] == "execution-error"
        assert "would lose its text, path or link: ask for a layer mask or a new layer." in facts["error"]
        assert facts["unchanged"]


def test_a_cancelled_run_changes_nothing(session: Any) -> None:
    """And its worker ends by itself."""
    facts = session.result("cancelled")
    assert facts["status"] != "success"
    assert facts["unchanged"]
    assert not facts["undo_group_left_open"]


def test_nothing_is_left_behind(session: Any) -> None:
    """No worker still runs, the plug-in printed no warning or error, and GIMP closed no undo group for it."""
    assert not session.result("workers_left")["left"]
    assert not re.findall(r'bgwatch-remove-background/[\w-]+\.py(?::\d|", line).*', session.output)
    assert "inconsistent state" not in session.output


def test_the_installed_plug_in_is_found_working(gimp: Any, session: Any) -> None:
    """By the command that says so, also after GIMP has run it, which left no file beside it."""
    said = gimp.bgwatch("gimp", "status", "--profile", f"{gimp.inside}/profile")
    assert f"installed, bgwatch {bgwatch.__version__}, and its worker starts with {gimp.python}" in said
    assert "removed the GIMP plug-in" in gimp.bgwatch("gimp", "uninstall", "--profile", f"{gimp.inside}/profile")
    assert not list((session.folder / "profile" / "plug-ins").iterdir())


def assert_done(facts: dict[str, Any]) -> None:
    """Assert success without a change to the layers, their colours, or what the user paints on."""
    assert facts["status"] == "success", facts["error"]
    assert facts["colours_kept"]
    assert facts["layers"] == 1
    assert facts["drawables_kept"]
    assert not facts["undo_group_left_open"]


def gradient(shape: tuple[int, ...]) -> np.ndarray:
    """Return the mask that the scenarios put on a layer first."""
    row, column = np.mgrid[: shape[0], : shape[1]]
    return ((3 * column + row) % 256).astype(np.uint8)
