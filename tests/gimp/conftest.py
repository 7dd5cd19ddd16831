"""A real GIMP 3 for the tests of this folder: found or skipped, and driven once.

BGWATCH_REQUIRE_GIMP=1 makes a missing GIMP a failure, and `counting` one test that did not run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from counting import REQUIRED
from gimp_pictures import METHODS, put_pictures
from PIL import Image
from real_gimp import Gimp, NoGimpError, find_gimp


@dataclass(frozen=True)
class Session:
    """What one GIMP session left behind."""

    folder: Path
    output: str
    results: Mapping[str, Any]

    def result(self, name: str) -> Any:
        """Return what a scenario of the batch reported; fail with its traceback if it broke."""
        found = self.results[name]
        if "broke" in found:
            pytest.fail(f"scenario {name} broke inside GIMP:\n{found['broke']}")
        return found

    def picture(self, name: str) -> np.ndarray:
        """Return a picture as the file has it."""
        return np.asarray(Image.open(self.folder / "pictures" / f"{name}.png"))

    def expected(self, name: str, method: str) -> np.ndarray:
        """Return the mask that the command line writes."""
        return np.asarray(Image.open(self.folder / "masks" / method / f"{name}.png"))

    def cutout(self, name: str) -> np.ndarray:
        """Return the cut-out that the command line writes, in RGBA."""
        return np.asarray(Image.open(self.folder / "cutouts" / f"{name}.png").convert("RGBA"))

    def plane(self, name: str, shape: tuple[int, ...], dtype: type[np.generic] = np.uint8) -> np.ndarray:
        """Return raw samples that the batch wrote."""
        return np.fromfile(self.folder / "planes" / name, dtype).reshape(shape)


@pytest.fixture(scope="session")
def gimp(tmp_path_factory: pytest.TempPathFactory) -> Gimp:
    """Return a GIMP 3 that runs this checkout, or skip and say why."""
    try:
        gimp = find_gimp(tmp_path_factory.mktemp("gimp"))
    except NoGimpError as reason:
        _do_without(str(reason))
    put_pictures(gimp.folder)
    return gimp


@pytest.fixture(scope="session")
def session(gimp: Gimp) -> Session:
    """Install the plug-in, cut every picture by the command line, then run all scenarios in one GIMP session."""
    for name in ("masks", "planes"):
        (gimp.folder / name).mkdir()
    gimp.bgwatch("gimp", "install", "--profile", f"{gimp.inside}/profile")
    for method in METHODS:
        masks = f"{gimp.inside}/masks/{method}"
        gimp.bgwatch("remove", f"{gimp.inside}/pictures", "-o", masks, "--mask", "--method", method)
    gimp.bgwatch("remove", f"{gimp.inside}/pictures", "-o", f"{gimp.inside}/cutouts")
    output = gimp.batch("batch.py")
    return Session(gimp.folder, output, json.loads((gimp.folder / "results.json").read_text()))


def _do_without(reason: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(f"BGWATCH_REQUIRE_GIMP=1, but {reason}")
    pytest.skip(reason)
