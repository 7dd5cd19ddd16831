"""Results are read by ImageMagick and libvips as they were written."""

from pathlib import Path

import numpy as np
import pytest
from profiles import gamma, rgb_profile
from test_encode import KEPT, pixels
from test_reference import readers

from bgwatch.settings import RESULT_SUFFIXES
from bgwatch.writing.encode import encode


@pytest.mark.slow
@pytest.mark.skipif(not readers(), reason="neither ImageMagick nor libvips with pyvips is installed")
@pytest.mark.parametrize("reader", readers())
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", list(RESULT_SUFFIXES))
def test_another_reader_finds_the_same_pixels(tmp_path: Path, kind: str, channels: int, reader: str) -> None:
    if kind == "jpeg" and channels in (2, 4):
        return
    kept = KEPT if channels > 2 else {name: value for name, value in KEPT.items() if name != "icc_profile"}
    for dtype in (np.uint8, np.uint16) if kind in ("png", "tiff") else (np.uint8,):
        written = pixels(channels, dtype)
        path = tmp_path / f"{np.dtype(dtype).name}{RESULT_SUFFIXES[kind][0]}"
        path.write_bytes(encode(written, kept, kind))
        read = readers()[reader](path, *written.shape[:2])
        planes = np.atleast_3d(written) / np.iinfo(dtype).max
        colours = np.repeat(planes[..., :1], 3, axis=2) if channels < 3 else planes[..., :3]
        seen = planes[..., -1] > 0 if channels in (2, 4) else np.ones(written.shape[:2], bool)
        far = np.abs(read[..., :3] - colours)[seen] * 255
        assert far.max() <= 0.01 if kind in ("png", "tiff", "webp") else far.mean() < 1.5
        if channels in (2, 4):
            assert np.abs(read[..., 3] - planes[..., -1]).max() * 255 <= 0.01


@pytest.mark.slow
@pytest.mark.skipif("libvips" not in readers(), reason="libvips with pyvips is not installed")
@pytest.mark.parametrize("kind", list(RESULT_SUFFIXES))
def test_another_reader_finds_what_belongs_to_a_photograph(tmp_path: Path, kind: str) -> None:
    import pyvips

    profile = rgb_profile("Adobe RGB", gamma(2.2))
    path = tmp_path / f"a{RESULT_SUFFIXES[kind][0]}"
    path.write_bytes(encode(pixels(3), {**KEPT, "icc_profile": profile}, kind))
    image = pyvips.Image.new_from_file(str(path))
    assert image.get("icc-profile-data") == profile
    assert image.get("xmp-data") == KEPT["xmp"]
    if kind in ("webp", "avif"):
        assert image.get("exif-ifd0-XResolution").startswith("300")
    else:
        assert (image.xres * 25.4, image.yres * 25.4) == pytest.approx((300, 200), abs=0.1)
    if kind != "tiff":  # whose tags it does not look at
        assert image.get("exif-ifd0-Make").startswith("Drawn")
