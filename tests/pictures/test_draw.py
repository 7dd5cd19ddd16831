"""The picture files beside ``draw.py`` are what it draws."""

import importlib.util
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["portrait.jpg", "mug.jpg", "logo.png"])
def test_the_files_are_what_the_script_draws(name: str) -> None:
    """Pixel for pixel, but for what another encoder or a last digit may change."""
    spec = importlib.util.spec_from_file_location("draw", HERE / "draw.py")
    assert spec
    assert spec.loader
    module = sys.modules["draw"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    drawn = np.asarray(Image.open(io.BytesIO(module.SCENES[name]().file)).convert("RGB")).astype(int)
    stored = np.asarray(Image.open(HERE / name).convert("RGB")).astype(int)
    assert drawn.shape == stored.shape
    assert np.abs(drawn - stored).mean() < 0.5
    assert (HERE / name).stat().st_size < 150_000
