"""Results in every format, read back by others."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgwatch.encode import encode
from bgwatch.settings import RESULT_SUFFIXES

RGBA = np.random.default_rng(1).integers(0, 256, (40, 50, 4), np.uint8)


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_without_loss_every_value_comes_back(kind: str) -> None:
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode(RGBA, {}, kind)))), RGBA)


@pytest.mark.parametrize("kind", list(RESULT_SUFFIXES))
def test_each_format_is_what_its_suffix_says(kind: str, tmp_path: Path) -> None:
    pixels = RGBA[..., :3] if kind == "jpeg" else RGBA
    for suffix in RESULT_SUFFIXES[kind]:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(encode(pixels, {}, kind))
        with Image.open(path) as image:
            assert image.format == kind.upper()
            assert Image.registered_extensions()[suffix] == image.format
