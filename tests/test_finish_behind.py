"""What a cut-out becomes on a picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from profiles import rgb_by_tables
from test_finish import ADOBE, GREY, P3, cutout, made

from bgwatch.errors import FolderError
from bgwatch.icc import convert
from bgwatch.imagefile import decode
from bgwatch.writing.colour import eight_bits
from bgwatch.writing.encode import encode


def test_a_picture_is_laid_behind_upright_and_in_the_colours_of_the_result(tmp_path: Path) -> None:
    sky = np.zeros((20, 60, 3), np.uint8)
    sky[:, :30], sky[:, 30:] = (200, 30, 30), (30, 30, 200)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: the left half is above
    Image.fromarray(sky).save(tmp_path / "sky.png", exif=exif, icc_profile=P3)
    result = made(cutout(), {"icc_profile": ADOBE}, fill=str(tmp_path / "sky.png"))
    assert result.pixels.shape == (30, 40, 3)
    for place, colour in ((0, (200, 30, 30)), (29, (30, 30, 200))):
        expected = convert(Image.new("RGB", (1, 1), colour), P3, ADOBE, "RGB").getpixel((0, 0))
        assert np.abs(np.subtract(result.pixels[place, 0].astype(int), expected)).max() <= 1
    assert np.array_equal(result.pixels[10:20, 10:20], cutout()[10:20, 10:20, :3])


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_picture_of_16_bits_behind_keeps_them(tmp_path: Path, kind: str, grey: bool) -> None:
    """Where the result has 16; a value of 9001 comes out as 9001."""
    sky = np.random.default_rng(1).integers(0, 65536, (30, 40) if grey else (30, 40, 3), np.uint16)
    sky[0, 0] = 9001
    (tmp_path / "sky").write_bytes(encode(sky, {}, kind))
    result = made(cutout(np.uint16), fill=str(tmp_path / "sky"), format="tiff")
    expected = np.repeat(sky[..., None], 3, axis=2) if grey else sky
    assert result.pixels.dtype == np.uint16
    assert tuple(result.pixels[0, 0]) == (9001,) * 3
    assert np.array_equal(result.pixels[:10], expected[:10])
    assert np.array_equal(result.pixels[10:20, 10:20], cutout(np.uint16)[10:20, 10:20, :3])
    plain = made(cutout(), fill=str(tmp_path / "sky"))
    assert plain.pixels.dtype == np.uint8
    assert np.array_equal(plain.pixels[:10], expected[:10] >> 8)


@pytest.mark.parametrize(("theirs", "ours"), [(None, P3), (ADOBE, P3), (GREY, ADOBE), (P3, None), (P3, P3)])
def test_a_picture_of_16_bits_behind_is_seen_in_the_colours_of_the_result(
    tmp_path: Path, theirs: bytes | None, ours: bytes | None
) -> None:
    """Above, levels that 8 bits have too; below, steps that they have not."""
    coarse, fine = np.arange(30 * 40) % 256 * 257, np.linspace(20_000, 60_000, 30 * 40).round()
    ramp = np.repeat(np.where(np.arange(30 * 40) < 800, coarse, fine).astype(np.uint16).reshape(30, 40, 1), 3, axis=2)
    if theirs != GREY:
        ramp[..., 1] = ramp[..., 1] // 514 * 257
    kept = {"icc_profile": theirs} if theirs else {}
    (tmp_path / "sky.png").write_bytes(encode(ramp[..., 0] if theirs == GREY else ramp, kept))
    result = made(cutout(np.uint16), {"icc_profile": ours} if ours else {}, fill=str(tmp_path / "sky.png"))
    plain = Image.fromarray(eight_bits(ramp[..., 0] if theirs == GREY else ramp))
    there = np.asarray(convert(plain, theirs, ours, "RGB"))
    assert np.abs(result.pixels[:10] / 257 - there[:10]).max() <= 1.5
    assert len(np.unique(result.pixels[20:, :, 0])) > 256


def test_a_profile_of_tables_costs_a_picture_behind_bits_and_says_so(tmp_path: Path) -> None:
    """Not where it is the result's own."""
    tables, sky = rgb_by_tables(), np.random.default_rng(1).integers(0, 65536, (30, 40, 3), np.uint16)
    (tmp_path / "sky.png").write_bytes(encode(sky, {"icc_profile": tables}))
    result = made(cutout(np.uint16), fill=str(tmp_path / "sky.png"))
    assert result.notes == ("what is laid behind was brought to 8 bits a channel, for the colours of its profile",)
    assert result.pixels.dtype == np.uint16
    assert not (result.pixels[0] % 257).any()
    same = made(cutout(np.uint16), {"icc_profile": tables}, fill=str(tmp_path / "sky.png"))
    assert same.notes == ()
    assert np.array_equal(same.pixels[0], sky[0])


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_picture_behind_has_the_tones_of_its_profile(tmp_path: Path, mode: str) -> None:
    expected = convert(Image.new("L", (1, 1), 90), GREY, None, "RGB").getpixel((0, 0))
    assert expected != (90, 90, 90)
    sky = str(tmp_path / "sky.png")
    Image.new(mode, (8, 6), 90 if mode == "L" else (90, 255)).save(sky, icc_profile=GREY)
    assert tuple(made(cutout(), fill=sky).pixels[0, 0][:3]) == expected


def test_a_picture_behind_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr(
        "bgwatch.writing.finish.decode", lambda path, limits: (read.append(path), decode(path, limits))[1]
    )
    sky = tmp_path / "sky.png"
    for side, colour in ((8, (200, 30, 30)), (800, (30, 30, 200))):
        Image.new("RGB", (side, side), colour).save(sky)
        for _ in range(3):
            assert tuple(made(cutout(), fill=str(sky)).pixels[0, 0]) == colour
    assert read == [sky, sky]
    sky.unlink()
    with pytest.raises(FolderError, match=r"^fill: .*sky\.png: "):
        made(cutout(), fill=str(sky))


def test_beside_a_picture_that_is_seen_whole_the_result_stays_transparent(tmp_path: Path) -> None:
    Image.new("RGB", (10, 10), (0, 200, 0)).save(tmp_path / "green.png")
    asked = {"fill": str(tmp_path / "green.png"), "fit": "contain"}
    result = made(cutout(np.uint16), **asked)
    assert result.pixels.dtype == np.uint16
    assert tuple(result.pixels[0, 20]) == (0, 200 * 257, 0, 65535)
    assert tuple(result.pixels[0, 0]) == (0, 0, 0, 0)
    jpeg = made(cutout(), format="jpeg", **asked)
    assert tuple(jpeg.pixels[0, 0]) == (255, 255, 255)
    assert jpeg.notes == ("what stayed transparent is white, since jpeg has no transparency",)


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_picture_behind_that_cannot_be_used_is_no_fault_of_the_one_before(
    tmp_path: Path, content: bytes | None
) -> None:
    if content:
        (tmp_path / "sky.jpg").write_bytes(content)
    with pytest.raises(FolderError, match=r"^fill: .*sky\.jpg: "):
        made(cutout(), fill=str(tmp_path / "sky.jpg"))
