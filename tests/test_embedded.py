"""Profiles, EXIF and XMP that Pillow leaves in GIF, BMP and JPEG 2000."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import profiles
import pytest
import zoo
from embedding import (
    CALIBRATED,
    EXIF_UUID,
    LINKED,
    XMP_UUID,
    bmp_v5,
    box,
    gif_profile,
    gif_with,
    gif_xmp,
    jp2_profile,
    jp2_resolution,
    jp2_with,
)
from scenes import opened

from bgwatch.imagefile import Picture, decode, frames
from bgwatch.reading.embedded import Embedded, embedded
from bgwatch.settings import PictureLimits

PROFILE = profiles.display_p3()
EXIF = zoo.exif(6).tobytes()[6:]
LONG = profiles.rgb_profile("Display P3", profiles.table([(level / 4000) ** 2 for level in range(4001)]))
SIDEWAYS = zoo.XMP.replace(b'Orientation="1"', b'Orientation="6"')
LYING = (zoo.HEIGHT, zoo.WIDTH)
BROKEN = ("its colour profile is broken and was left out",)


def read(folder: Path, content: bytes) -> Picture:
    (folder / "a").write_bytes(content)
    return decode(folder / "a", PictureLimits())


def jp2(*header: bytes, top: tuple[bytes, ...] = (), last: bool = False) -> bytes:
    return jp2_with(zoo.made("rgb.jp2"), header, top, last)


PROFILED: dict[str, Callable[[bytes], bytes]] = {
    "gif": lambda profile: gif_with(zoo.made("palette.gif"), gif_profile(profile)),
    "gif, behind its pixels": lambda profile: gif_with(zoo.made("palette.gif"), gif_profile(profile), last=True),
    "gif, the first of two": lambda profile: gif_with(zoo.made("palette.gif"), gif_profile(profile), gif_profile(b"")),
    "grey gif": lambda profile: gif_with(zoo.saved(zoo.in_mode("L"), "GIF"), gif_profile(profile)),
    "bmp": lambda profile: bmp_v5(zoo.colours(), profile),
    "grey bmp": lambda profile: bmp_v5(zoo.in_mode("L"), profile),
    "jpeg 2000": lambda profile: jp2(jp2_profile(profile)),
    "jpeg 2000, of any kind": lambda profile: jp2(jp2_profile(profile, method=3)),
    "jpeg 2000, a wide box": lambda profile: jp2(jp2_profile(profile, wide=True)),
}


@pytest.mark.parametrize("kind", PROFILED)
def test_a_profile_is_found_whole(tmp_path: Path, kind: str) -> None:
    for profile in (PROFILE, LONG):
        picture = read(tmp_path, PROFILED[kind](profile))
        assert picture.kept["icc_profile"] == profile
        assert picture.notes == ()
        assert not picture.grey, "an RGB profile is for colours, also where all of them are grey"


@pytest.mark.parametrize("kind", PROFILED)
def test_a_profile_that_is_broken_is_left_out_with_a_note(tmp_path: Path, kind: str) -> None:
    sound = read(tmp_path, PROFILED[kind](PROFILE))
    empty = b"none" if kind.startswith("jpeg") else b""  # Pillow refuses boxes that are shorter
    for profile in (empty, b"\xff" * 300, PROFILE[:200], PROFILE.replace(b"acsp", b"xxxx")):
        picture = read(tmp_path, PROFILED[kind](profile))
        assert "icc_profile" not in picture.kept
        assert picture.notes == BROKEN
        shown, wanted = (np.asarray(one.image.convert("RGB")) for one in (picture, sound))
        assert np.array_equal(shown, wanted)


@pytest.mark.parametrize("kind", PROFILED)
def test_no_more_is_read_than_of_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("bgwatch.reading.embedded.LONGEST", 2000)
    assert read(tmp_path, PROFILED[kind](PROFILE)).kept["icc_profile"] == PROFILE
    picture = read(tmp_path, PROFILED[kind](LONG))
    assert "icc_profile" not in picture.kept
    assert picture.notes == BROKEN


def test_no_more_boxes_are_looked_at_than_of_use(tmp_path: Path) -> None:
    last = box(b"uuid", EXIF_UUID + EXIF)
    assert "exif" in read(tmp_path, jp2(top=(*[box(b"free", b"")] * 5000, last), last=True)).kept
    assert "exif" not in read(tmp_path, jp2(top=(*[box(b"free", b"")] * 20_000, last), last=True)).kept


@pytest.mark.parametrize(("start", "size"), [(2**32 - 1, 512), (0, 2**32 - 1), (124, 0), (124, 2**32 - 1)])
def test_a_bmp_may_lie_about_its_profile(tmp_path: Path, start: int, size: int) -> None:
    picture = read(tmp_path, bmp_v5(zoo.colours(), PROFILE[:-1], start=start, size=size))
    assert picture.notes == BROKEN
    assert np.array_equal(np.asarray(picture.image), np.asarray(zoo.colours()))


def test_a_profile_in_another_file_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "p3.icc").write_bytes(PROFILE)
    linked = str(tmp_path / "p3.icc").encode() + b"\0"
    picture = read(tmp_path, bmp_v5(zoo.colours(), linked, LINKED))
    assert picture.notes == ("its colour profile is in another file, which is not looked for",)
    assert "icc_profile" not in picture.kept
    assert read(tmp_path, bmp_v5(zoo.colours(), PROFILE, CALIBRATED)).notes == ()


@pytest.mark.parametrize("last", [False, True])
def test_a_gif_keeps_xmp_in_each_frame_and_lies_as_it_says(tmp_path: Path, last: bool) -> None:
    found = read(tmp_path, gif_with(zoo.made("moving.gif"), gif_profile(PROFILE), gif_xmp(SIDEWAYS), last=last))
    for picture in (found, *frames(tmp_path / "a", PictureLimits())):
        assert picture.image.size == LYING
        assert picture.kept["icc_profile"] == PROFILE
        assert b"Orientation" not in picture.kept["xmp"]
        assert b'tiff:Make="bgwatch"' in picture.kept["xmp"]
        assert picture.frames == 3


def test_xmp_of_a_gif_may_have_lengths_of_its_own(tmp_path: Path) -> None:
    """The letter n is a length of 110: the way through the block must not come to lie beside an image."""
    for more in range(0, 300, 7):
        xmp = zoo.XMP.replace(b"bgwatch", b"n" * more)
        assert b"n" * more in read(tmp_path, gif_with(zoo.made("palette.gif"), gif_xmp(xmp))).kept["xmp"]


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_a_jpeg_2000_has_exif_and_xmp_in_boxes_of_their_own(tmp_path: Path, prefix: bytes, last: bool) -> None:
    boxes = box(b"uuid", bytes(16) + b"another's"), box(b"uuid", EXIF_UUID + prefix + EXIF)
    picture = read(tmp_path, jp2(jp2_resolution(300), top=(*boxes, box(b"uuid", XMP_UUID + zoo.XMP, True)), last=last))
    assert picture.image.size == LYING
    assert b"a disc" in picture.kept["exif"]
    assert b"Orientation" not in picture.kept["xmp"]
    assert b'tiff:Make="bgwatch"' in picture.kept["xmp"]
    assert picture.kept["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_metadata_that_is_broken_does_not_cost_the_picture(tmp_path: Path) -> None:
    boxes = box(b"uuid", EXIF_UUID + b"\xff" * 100), box(b"uuid", XMP_UUID + zoo.XMP[:150] + b"\xff")
    picture = read(tmp_path, jp2(top=boxes))
    assert not {"exif", "xmp"} & set(picture.kept)
    assert np.array_equal(np.asarray(picture.image), np.asarray(opened(tmp_path / "a")))


@pytest.mark.parametrize("head", [(0, b"jp2h"), (1, b"uuid"), (2, b"uuid"), (8, b"jp2h"), (2**32 - 1, b"jp2h")])
def test_boxes_that_lie_come_to_an_end(head: tuple[int, bytes]) -> None:
    """Which OpenJPEG refuses after they were read."""
    file = io.BytesIO(zoo.made("rgb.jp2")[:12] + struct.pack(">I4s", *head) * 20_000)
    assert embedded(file) == Embedded()
    assert file.tell() == 0
