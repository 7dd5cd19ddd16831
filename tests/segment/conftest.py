"""Scenes with a known alpha, and the headshots of the article where they lie beside the checkout."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

PICTURES = Path(__file__).parents[1] / "pictures"
HEADSHOTS = Path(__file__).parents[3] / "shared" / "seed" / "headshots"


def load(path: Path) -> ModuleType:
    """Import a script by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def drawing() -> ModuleType:
    """The script that draws the project's pictures."""
    return load(PICTURES / "draw.py")


@pytest.fixture(scope="session")
def portrait(drawing: ModuleType):
    return drawing.portrait()


@pytest.fixture(scope="session")
def mug(drawing: ModuleType):
    return drawing.mug()


@pytest.fixture(scope="session")
def logo(drawing: ModuleType):
    return drawing.logo()


@pytest.fixture(scope="session")
def headshots() -> list[NDArray[np.uint8]]:
    """The article's pictures, (133, 110, 3) each."""
    if not HEADSHOTS.is_dir():
        pytest.skip("the article's headshots do not lie beside this checkout")
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(HEADSHOTS.glob("*.png"))]


@pytest.fixture(scope="session")
def disc() -> Callable[..., tuple[NDArray[np.uint8], NDArray[np.float64]]]:
    """Draw a soft-edged disc on a plain backdrop: RGB and true alpha."""

    def draw(
        size: int = 160, radius: float = 45, subject=(60, 90, 160), behind=(200, 202, 198), noise: float = 1.5,
        hole: float = 0, seed: int = 0,
    ):  # fmt: skip
        y, x = np.mgrid[0:size, 0:size] - (size - 1) / 2
        away = np.hypot(x, y)
        alpha = np.clip(radius + 0.5 - away, 0, 1)
        if hole:
            alpha *= np.clip(away - hole + 0.5, 0, 1)
        rgb = alpha[..., None] * np.array(subject, float) + (1 - alpha[..., None]) * np.array(behind, float)
        rgb += np.random.default_rng(seed).normal(0, noise, rgb.shape)
        return np.round(rgb.clip(0, 255)).astype(np.uint8), alpha

    return draw
