"""The plug-in in a real GIMP with windows: the dialog with its preview, OK, and undo."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from real_gimp import Gimp

pytestmark = [pytest.mark.slow, pytest.mark.gimp]

TOOLS = ("Xvfb", "openbox", "xdotool", "dbus-run-session")


@pytest.fixture(scope="module")
def seen(gimp: Gimp) -> Any:
    """Use the command once; BGWATCH_ARTEFACTS names a folder that keeps the screenshots."""
    missing = [name for name in TOOLS if not gimp.has(name)]
    if missing:
        pytest.skip(f"no {', '.join(missing)} beside this GIMP")
    gimp.bgwatch("gimp", "install", "--profile", f"{gimp.inside}/window-profile")
    try:
        gimp.run(gimp.python, f"{gimp.put_inside()}/window.py", seconds=400)
    finally:
        if kept := os.environ.get("BGWATCH_ARTEFACTS"):
            shutil.copytree(gimp.folder / "screenshots", Path(kept) / "gimp", dirs_exist_ok=True)
    return json.loads((gimp.folder / "window.json").read_text())


def test_the_dialog_shows_a_preview(seen: Any) -> None:
    """The result lies on a checkerboard, made by one worker."""
    assert seen["preview_squares"] > 3000
    assert seen["workers"] == 1


def test_ok_cuts_every_selected_layer_and_one_undo_brings_all_back(seen: Any) -> None:
    """The title has a star while there is something to undo; the screen shows both backdrops, then none, then both."""
    assert seen["title_after"] == "*" + seen["title_at_first"]
    assert seen["title_undone"] == seen["title_at_first"]
    assert seen["backdrops_at_first"] > 3000
    assert seen["backdrops_gone"]
    assert seen["backdrops_undone"] > 3000


def test_the_dialogs_settings_can_be_saved_reset_and_loaded(seen: Any) -> None:
    """Settings that find next to nothing are saved; a reset shows the checkerboard again, loading hides it."""
    assert seen["squares_after_reset"] > 3000
    assert seen["spoilt_after_loading"]


def test_a_refusal_is_shown_in_gimps_own_dialog(seen: Any) -> None:
    """A bgwatch that is gone is told there, and the picture is as before."""
    assert seen["title_refused"] == seen["title_at_first"]


def test_cancel_changes_nothing_and_leaves_no_worker(seen: Any) -> None:
    assert seen["title_cancelled"] == seen["title_at_first"]
    assert seen["no_worker_left"]
