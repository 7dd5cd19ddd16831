"""Files of several pictures: the first, all one at a time, or none; and what is no picture of its own."""

import itertools
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import profiles
import pytest
import zoo
from PIL import Image
from scenes import Ended, png_chunk
from tiffs import tiff

from bgwatch.errors import PictureError, UnfinishedError
from bgwatch.imagefile import Picture, decode, frames
from bgwatch.settings import PictureLimits
from bgwatch.writing.animate import Frame, animated
from bgwatch.writing.tiff import encode as write_tiff

LIMIT = PictureLimits(max_frames=20)
COLOURS = ["red", "lime", "blue"]
SIZE = (24, 16)


def pictures() -> list[Image.Image]:
    return [Image.new("RGB", SIZE, colour) for colour in COLOURS]


def several(kind: str, **options: object) -> bytes:
    first, *others = pictures()
    return zoo.saved(first, kind, save_all=True, append_images=others, **options)


def middle(picture: Picture) -> tuple[int, ...]:
    image = picture.image.convert("RGB")
    return image.getpixel((image.width // 2, image.height // 2))  # type: ignore[return-value]


def near(colour: tuple[int, ...], name: str) -> bool:
    wanted = Image.new("RGB", (1, 1), name).getpixel((0, 0))
    return np.abs(np.subtract(colour, wanted)).max() < 40


FILES = {
    "gif": lambda: several("GIF", duration=[40, 80, 120], loop=3),
    "apng": lambda: several("PNG", duration=[40, 80, 120], loop=3),
    "webp": lambda: several("WEBP", duration=[40, 80, 120], loop=3, lossless=True),
    "avif": lambda: several("AVIF", duration=[40, 80, 120]),
    "tiff": lambda: several("TIFF"),
    "packed tiff": lambda: several("TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_frame_comes_in_its_turn(tmp_path: Path, kind: str) -> None:
    """Kept until the end, they are still what they were."""
    (tmp_path / "a").write_bytes(FILES[kind]())
    found = list(frames(tmp_path / "a", LIMIT))
    assert [(picture.frame, picture.frames) for picture in found] == [(0, 3), (1, 3), (2, 3)]
    assert all(near(middle(picture), name) for picture, name in zip(found, COLOURS, strict=True))
    assert all(picture.image.mode in ("RGB", "RGBA") and picture.image.size == SIZE for picture in found)
    assert all(picture.notes == () for picture in found)
    if "tiff" not in kind:
        assert [picture.duration for picture in found] == pytest.approx([40, 80, 120], abs=1)
    assert [picture.loop for picture in found] == ([3] * 3 if kind in ("gif", "apng", "webp") else [None] * 3)


@pytest.mark.parametrize("kind", FILES)
def test_the_first_is_taken_with_a_note_or_none(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(FILES[kind]())
    picture = decode(tmp_path / "a", LIMIT)
    assert near(middle(picture), COLOURS[0])
    assert picture.notes == ("only the first of 3 frames or pages was taken",)
    refusing = PictureLimits(frames="refuse")
    with pytest.raises(
        PictureError, match="a: 3 frames or pages; give one picture a file, or say frames: first"
    ) as told:
        decode(tmp_path / "a", refusing)
    assert not isinstance(told.value, UnfinishedError)
    (tmp_path / "one").write_bytes(zoo.made("palette.gif"))
    assert decode(tmp_path / "one", refusing).frames == 1


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("disposal", [0, 1, 2])
def test_frames_are_whole_whatever_lies_below(tmp_path: Path, kind: str, disposal: int) -> None:
    """Each adds a square: left where it is, or cleared before the next."""
    whole = []
    for number in range(3):
        image = Image.new("RGBA", SIZE)
        for square in range(0 if disposal < 2 else number, number + 1):
            image.paste(COLOURS[square], (8 * square, 4, 8 * square + 8, 12))
            if kind != "GIF":
                image.putpixel((8 * square, 4), (*image.getpixel((8 * square, 4))[:3], 128))  # type: ignore[index]
        whole.append(image)
    options = {"GIF": {"disposal": disposal}, "PNG": {"disposal": min(disposal, 1)}, "WEBP": {"lossless": True}}[kind]
    (tmp_path / "a").write_bytes(zoo.saved(whole[0], kind, save_all=True, append_images=whole[1:], **options))
    found = list(frames(tmp_path / "a", LIMIT))
    assert len(found) == 3
    for picture, image in zip(found, whole, strict=True):
        shown, wanted = np.asarray(picture.image.convert("RGBA")), np.asarray(image)
        assert np.array_equal(shown[..., 3], wanted[..., 3])
        assert np.array_equal(shown[wanted[..., 3] > 0], wanted[wanted[..., 3] > 0])


def test_frames_lie_as_exif_says(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(several("WEBP", exif=zoo.exif(6), lossless=True))
    found = list(frames(tmp_path / "a", LIMIT))
    assert [picture.image.size for picture in found] == [SIZE[::-1]] * 3
    assert all(near(middle(picture), name) for picture, name in zip(found, COLOURS, strict=True))


def linked(*files: bytes, kinds: tuple[int, ...]) -> bytes:
    """Put TIFFs that end in their pixels behind each other, as pages of these kinds of subfile."""
    data, at_link = bytearray(b"II*\0" + bytes(4)), 4
    for file, kind in zip(files, kinds, strict=True):
        data += bytes(len(data) % 2)
        shift = len(data) - 8
        struct.pack_into("<I", data, at_link, 8 + shift)
        entries = struct.unpack_from("<H", file, 8)[0]
        page = bytearray(file[8:])
        for entry in range(2, 2 + 12 * entries, 12):
            tag, form, count, value = struct.unpack_from("<HHII", page, entry)
            if tag == 254:
                struct.pack_into("<I", page, entry + 8, kind)
            elif tag == 273 or count * (4 if form == 4 else 1) > 4:
                struct.pack_into("<I", page, entry + 8, value + shift)
        at_link = len(data) + 2 + 12 * entries
        data += page
    return bytes(data)


def page(colour: str, deep: bool = False) -> bytes:
    samples = np.asarray(Image.new("RGB", SIZE, colour))
    return tiff(samples.astype(np.uint16) * 257 if deep else samples, 2, tags={254: [0]})


def test_thumbnails_and_masks_of_a_tiff_are_no_pages(tmp_path: Path) -> None:
    small, main, mask = page("black"), page("red"), page("white")
    (tmp_path / "a").write_bytes(linked(small, main, mask, kinds=(1, 0, 4)))
    picture = decode(tmp_path / "a", LIMIT)
    assert (middle(picture), picture.frames, picture.notes) == ((255, 0, 0), 1, ())
    assert [middle(one) for one in frames(tmp_path / "a", LIMIT)] == [(255, 0, 0)]
    (tmp_path / "b").write_bytes(linked(small, main, small, page("blue"), kinds=(1, 0, 1, 2)))
    assert [middle(one) for one in frames(tmp_path / "b", LIMIT)] == [(255, 0, 0), (0, 0, 255)]


def test_pages_may_differ_in_depth(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(linked(page("red"), page("lime", deep=True), page("blue"), kinds=(0, 0, 0)))
    found = list(frames(tmp_path / "a", LIMIT))
    assert [isinstance(picture.pixels, np.ndarray) for picture in found] == [False, True, False]
    assert [middle(picture) for picture in found] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_what_an_animation_loses_of_16_bits_is_said(tmp_path: Path, mode: str) -> None:
    """The first frame alone loses nothing, nor do those of grey; the key colour stays transparent."""
    samples = zoo.deep(mode)[..., 0] if mode == "L" else zoo.deep(mode)
    moving = b"".join(animated(Frame(samples, {}, 40.0, 3), [Frame(samples, {}, 40.0, 3)] * 2))
    place = moving.index(b"IHDR") + 21
    key = png_chunk(b"tRNS", samples[3, 4].astype(">u2").tobytes()) if mode in ("L", "RGB") else b""
    (tmp_path / "a").write_bytes(moving[:place] + key + moving[place:])
    first = decode(tmp_path / "a", LIMIT)
    assert isinstance(first.pixels, np.ndarray)
    assert first.notes == ("only the first of 3 frames or pages was taken",)
    found = list(frames(tmp_path / "a", LIMIT))
    assert len(found) == 3
    for picture in found:
        kept = isinstance(picture.pixels, np.ndarray)
        assert kept == (mode == "L")
        assert picture.notes == (() if kept else ("16 bits a channel were brought to 8",))
        assert not kept or np.array_equal(picture.pixels, first.pixels)
        shown, wanted = (np.asarray(one.image.convert("RGBA")) for one in (picture, first))
        assert np.array_equal(shown[..., :3], wanted[..., :3])
        assert shown[3, 4, 3] == wanted[3, 4, 3]
        assert (shown[..., 3] <= wanted[..., 3]).all(), "more colours are the key's where there are fewer"


def test_a_page_that_says_nothing_has_nothing_of_the_page_before(tmp_path: Path) -> None:
    """Neither profile nor resolution nor EXIF nor XMP."""
    exif = zoo.exif().tobytes()
    told = {"icc_profile": profiles.display_p3(), "dpi": (300.0, 200.0), "exif": exif, "xmp": zoo.XMP}
    pixels = np.asarray(zoo.colours())
    (tmp_path / "a").write_bytes(write_tiff([(pixels, told), (pixels, {}), (pixels, {**told, "dpi": (72.0, 72.0)})]))
    first, second, third = frames(tmp_path / "a", LIMIT)
    assert set(first.kept) == set(third.kept) == set(told)
    assert second.kept == {}
    assert third.kept["dpi"] == (72, 72)


def test_the_further_pictures_of_a_phones_jpeg_are_no_pages(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(several("MPO"))
    picture = decode(tmp_path / "a", PictureLimits(frames="refuse"))
    assert near(middle(picture), "red")
    assert (picture.frames, picture.notes) == (1, ())


@pytest.mark.slow
def test_the_command_line_takes_the_first_or_refuses(
    tmp_path: Path, bgwatch: Callable[..., Ended], draw: Callable[..., Path]
) -> None:
    several = draw(tmp_path / "a.gif", save_all=True, append_images=[zoo.disc(120, 140, 1)])
    taken = bgwatch("remove", several, "-o", tmp_path / "out")
    assert taken.code == 0
    assert "a.png: only the first of 2 frames or pages was taken" in " ".join(taken.err.split())
    refused = bgwatch("remove", several, "-o", tmp_path / "out", "--frames", "refuse")
    assert refused.code == 1
    assert "a.gif: 2 frames or pages; give one picture a file, or say frames: first" in " ".join(refused.err.split())


def test_frames_come_one_at_a_time_and_an_error_after_those_before_it(tmp_path: Path) -> None:
    content = FILES["packed tiff"]()
    (tmp_path / "a").write_bytes(content[: int(0.9 * len(content))])
    coming: Iterator[Picture] = frames(tmp_path / "a", LIMIT)
    assert [middle(picture) for picture in itertools.islice(coming, 2)] == [(255, 0, 0), (0, 255, 0)]
    with pytest.raises(UnfinishedError, match=r"broken or cut short"):
        next(coming)


def test_too_many_are_refused_before_any_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(FILES["gif"]())
    with pytest.raises(PictureError, match=r"a: more than max_frames \(2\) frames or pages; raise it or take the one"):
        next(frames(tmp_path / "a", PictureLimits(max_frames=2)))
    assert len(list(frames(tmp_path / "a", PictureLimits(max_frames=3)))) == 3
