"""Colours stay what they are: by a profile that is kept, or brought to sRGB where no result can have them."""

import io
import struct
from pathlib import Path

import numpy as np
import profiles
import pytest
import zoo
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from scenes import opened
from tiffs import tiff

from bgwatch.imagefile import Picture, decode
from bgwatch.job import Job, run
from bgwatch.settings import PictureLimits, Segmentation

SRGB = ImageCms.createProfile("sRGB")
WIDE = {"Adobe RGB": profiles.adobe_rgb(), "Display P3": profiles.display_p3()}
NO_PROFILE = "its inks have no colour profile, so its colours are a guess"


def read(path: Path, content: bytes) -> Picture:
    path.write_bytes(content)
    return decode(path, PictureLimits())


def managed(rgb: Image.Image, profile: bytes) -> np.ndarray:
    """What a colour-managed program shows on an sRGB screen."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    shown = ImageCms.profileToProfile(rgb, source, SRGB, outputMode="RGB")
    assert shown
    return np.asarray(shown).astype(int)


def of_lightness(share: np.ndarray) -> np.ndarray:
    """The sRGB level of a grey of CIE L / 100: "IEC 61966-2-1", and CIE 15 for L."""
    f = (100 * share + 16) / 116
    y = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return 255 * np.where(y > 0.0031308, 1.055 * y ** (1 / 2.4) - 0.055, 12.92 * y)


def wide_gamut() -> Image.Image:
    """A disc of all hues, most of them outside sRGB, on grey."""
    y, x = np.mgrid[-1:1:140j, -1:1:120j]
    hue = np.arctan2(y, x)[..., None] + np.array([0, 2, 4]) * np.pi / 3
    full = 127 + 127 * np.cos(hue)
    disc = (np.hypot(x, y) < 0.6)[..., None]
    grain = np.random.default_rng(0).normal(0, 1.2, full.shape)
    return Image.fromarray((np.where(disc, full, 188) + grain).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_a_wide_gamut_cut_out_shows_the_colours_of_the_original(tmp_path: Path, name: str, suffix: str) -> None:
    profile = WIDE[name]
    lossless = {"lossless": True} if suffix == "webp" else {}
    wide_gamut().save(tmp_path / f"a.{suffix}", icc_profile=profile, **lossless)
    outcome = run(Job(str(tmp_path / f"a.{suffix}"), str(tmp_path / "out.png"), Segmentation().model_dump(), {}))
    assert outcome.state == "done", outcome.reasons
    cutout = opened(tmp_path / "out.png")
    before, after = managed(wide_gamut(), profile), managed(cutout.convert("RGB"), cutout.info["icc_profile"])
    opaque = np.asarray(cutout)[..., 3] == 255
    assert 0.2 < opaque.mean() < 0.4
    assert np.abs(after - before)[opaque].max() <= 1
    naive = np.abs(np.asarray(wide_gamut()).astype(int) - before)[opaque]
    assert naive.max() > 20  # so the profile does matter


@pytest.mark.parametrize(
    ("mode", "profile", "said"),
    [
        ("RGB", profiles.grey_profile(profiles.gamma(1.8)), "is for grey pictures"),
        ("RGB", profiles.inks({b"A2B0": lambda inks: 1 - inks.max(axis=1)}, 0), "is for CMYK pictures"),
        ("L", profiles.adobe_rgb(), "is for RGB pictures"),
        ("CMYK", profiles.adobe_rgb(), "is for RGB pictures"),
        ("RGB", b"no profile at all" * 20, "is broken"),
        ("RGB", profiles.adobe_rgb()[:300], "is broken"),
        ("RGB", profiles.profile(b"RGB ", b"XYZ ", {}), "is broken"),
    ],
)
def test_a_profile_that_does_not_fit_is_left_out_with_a_note(
    tmp_path: Path, mode: str, profile: bytes, said: str
) -> None:
    picture = read(tmp_path / "a.jpg", zoo.saved(zoo.in_mode(mode), "JPEG", icc_profile=profile))
    assert "icc_profile" not in picture.kept
    assert picture.notes[0] == f"its colour profile {said} and was left out"
    assert picture.image.mode == ("L" if mode == "L" else "RGB")


def test_a_grey_profile_stays_with_a_grey_picture(tmp_path: Path) -> None:
    profile = profiles.grey_profile(profiles.gamma(1.8))
    picture = read(tmp_path / "a.png", zoo.saved(zoo.in_mode("L"), "PNG", icc_profile=profile))
    assert picture.kept["icc_profile"] == profile
    assert picture.notes == ()


def ramp() -> Image.Image:
    """Each ink alone, from none to all."""
    shades = np.linspace(0, 255, 40).round().astype(np.uint8)
    bands = [np.where(np.arange(4)[:, None] == ink, shades, 0).astype(np.uint8) for ink in range(4)]
    return Image.merge("CMYK", [Image.fromarray(np.repeat(band, 8, axis=0).repeat(8, axis=1)) for band in bands])


def ycck(image: Image.Image) -> bytes:
    """A JPEG of inks as Photoshop writes it: C, M, Y as luma and chroma, everything inverted."""
    luma = Image.merge("RGB", image.split()[:3]).convert("YCbCr")
    stored = Image.merge("CMYK", [*(band.point(lambda level: 255 - level) for band in luma.split()), image.split()[3]])
    file = zoo.saved(stored, "JPEG", quality=100, subsampling=0, icc_profile=image.info.get("icc_profile"))
    adobe = file.index(b"Adobe") + 11
    assert file[adobe] == 0
    return file[:adobe] + b"\2" + file[adobe + 1 :]


def without_adobe(image: Image.Image) -> bytes:
    """A JPEG of inks whose numbers are not inverted, and which says so by saying nothing."""
    inverted = Image.merge("CMYK", [band.point(lambda level: 255 - level) for band in image.split()])
    file = zoo.saved(inverted, "JPEG", quality=100, subsampling=0, icc_profile=image.info.get("icc_profile"))
    adobe = file.index(b"\xff\xee\0\x0eAdobe")
    return file[:adobe] + file[adobe + 16 :]


INKED = {
    "jpeg": lambda image: zoo.saved(
        image, "JPEG", quality=100, subsampling=0, icc_profile=image.info.get("icc_profile")
    ),
    "ycck": ycck,
    "not inverted": without_adobe,
    "tiff": lambda image: zoo.saved(image, "TIFF", compression="tiff_lzw", icc_profile=image.info.get("icc_profile")),
    "planes": lambda image: tiff(
        np.asarray(image), 5, planar=True, tags={34675: profile} if (profile := image.info.get("icc_profile")) else {}
    ),
    "16 bits": lambda image: tiff(
        np.asarray(image).astype(np.uint16) * 257, 5, tags={34675: p} if (p := image.info.get("icc_profile")) else {}
    ),
}


@pytest.mark.parametrize("kind", INKED)
@pytest.mark.parametrize("intent", [profiles.PERCEPTUAL, profiles.RELATIVE, profiles.ABSOLUTE])
def test_inks_become_srgb_by_their_profile_and_its_intent(tmp_path: Path, kind: str, intent: int) -> None:
    """The two tables differ: relative prints twice as dark."""
    tables = {b"A2B0": lambda inks: 1 - inks.max(axis=1) / 2, b"A2B1": lambda inks: 1 - inks.max(axis=1)}
    image = ramp()
    image.info["icc_profile"] = profiles.inks(tables, intent)
    picture = read(tmp_path / "a", INKED[kind](image))
    darkest = np.asarray(image).max(axis=2) / 255
    wanted = of_lightness(1 - darkest / 2 if intent == profiles.PERCEPTUAL else 1 - darkest)
    assert np.abs(np.asarray(picture.pixels) - wanted[..., None]).max() < 6  # of which JPEG takes most
    assert "icc_profile" not in picture.kept
    assert NO_PROFILE not in picture.notes


@pytest.mark.parametrize("kind", INKED)
def test_inks_without_a_profile_are_multiplied(tmp_path: Path, kind: str) -> None:
    picture = read(tmp_path / "a", INKED[kind](ramp()))
    inks = np.asarray(ramp()).astype(float)
    wanted = (255 - inks[..., :3]) * (255 - inks[..., 3:]) / 255
    assert np.abs(np.asarray(picture.pixels) - wanted).max() < 4
    assert picture.notes[-1] == NO_PROFILE


def lab_samples() -> np.ndarray:
    """L, a and b of the disc, 0 to 255, a and b from 128."""
    image = Image.new("RGB", (zoo.WIDTH, zoo.HEIGHT))
    image.paste(zoo.colours())
    found = ImageCms.profileToProfile(image, SRGB, ImageCms.createProfile("LAB"), outputMode="LAB")
    assert found
    return np.dstack([np.asarray(band) for band in found.split()])


SIGNED = np.array([0, 128, 128], np.uint8)
LAB_IN = {
    "pillow's": lambda lab: zoo.made("lab.tif"),
    "signed": lambda lab: tiff(lab ^ SIGNED, 8),
    "signed, 16 bits": lambda lab: tiff(
        (lab ^ SIGNED).astype(np.uint16) << 8, 8, order=">", compression=8, predictor=2
    ),
    "icc": lambda lab: tiff(lab, 9, rows=5),
    "icc, 16 bits": lambda lab: tiff(lab.astype(np.uint16) << 8, 9, planar=True),
    "icc, predicted": lambda lab: tiff(lab, 9, compression=8, predictor=2, tile=16),
}


@pytest.mark.parametrize("kind", LAB_IN)
def test_lab_becomes_srgb(tmp_path: Path, kind: str) -> None:
    picture = read(tmp_path / "a.tif", LAB_IN[kind](lab_samples()))
    assert np.abs(np.asarray(picture.pixels).astype(int) - np.asarray(zoo.colours())).max() <= 3
    assert not picture.grey
    assert picture.notes == (("16 bits a channel were brought to 8",) if "16 bits" in kind else ())


def test_lab_lies_as_it_says(tmp_path: Path) -> None:
    picture = read(tmp_path / "a.tif", tiff(lab_samples(), 9, tags={274: [6]}))
    turned = zoo.colours().transpose(Image.Transpose.ROTATE_270)
    assert np.abs(np.asarray(picture.pixels).astype(int) - np.asarray(turned)).max() <= 3


TOLD = "its gamma or primaries are not sRGB's and were left out; give it a colour profile to keep them"
WHITE_AND_P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ([], False),
        ([(b"gAMA", struct.pack(">I", 45455))], False),
        ([(b"gAMA", struct.pack(">I", 100_000))], True),
        ([(b"gAMA", struct.pack(">I", 100_000)), (b"sRGB", b"\0")], False),
        ([(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))], False),
        ([(b"cHRM", struct.pack(">8I", *WHITE_AND_P3))], True),
        ([(b"cICP", bytes([1, 13, 0, 1])), (b"gAMA", struct.pack(">I", 100_000))], False),
        ([(b"cICP", bytes([12, 13, 0, 1])), (b"sRGB", b"\0")], True),
        ([(b"cICP", b"")], True),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "I;16"])
def test_colours_that_a_png_tells_without_a_profile_are_not_lost_in_silence(
    tmp_path: Path, chunks: list[tuple[bytes, bytes]], said: bool, mode: str
) -> None:
    info = PngInfo()
    for kind, data in chunks:
        info.add(kind, data)
    Image.new(mode, (9, 9)).save(tmp_path / "a.png", pnginfo=info)
    assert (TOLD in decode(tmp_path / "a.png", PictureLimits()).notes) == said
