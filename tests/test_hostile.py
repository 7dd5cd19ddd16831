"""Whatever lies in a file: a picture or one sentence, nothing on standard error, and memory within bounds."""

import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zoo
from embedding import EXIF_UUID, bmp_v5, box, gif_profile, gif_with, gif_xmp, jp2_with
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib
from PIL import Image
from scenes import png_chunk, png_header
from tiffs import directory, tiff

from bgwatch.errors import PictureError, UnfinishedError
from bgwatch.imagefile import decode, frames
from bgwatch.settings import PictureLimits
from bgwatch.writing.png import SIGNATURE

LIMIT = PictureLimits(max_pixels=1_000_000, max_frames=20)
FINDS = Path(__file__).parent / "finds"
LONG_PLAY = (
    "several",
    "moving.png",
    "deep-moving.png",
    "moving.gif",
    "moving.heic",
    "pages",
)  # what is cut off is a later frame
Capture = pytest.CaptureFixture[str]


def png_with(*chunks: bytes) -> bytes:
    """A sound PNG with further chunks before its pixels."""
    file = zoo.made("RGB.png")
    place = file.index(b"IDAT") - 4
    return file[:place] + b"".join(chunks) + file[place:]


def bomb(size: int) -> bytes:
    """A PNG of white squares that large, all of whose bytes are there."""
    packer, row = isal_zlib.compressobj(1), bytes(1 + (size + 7) // 8)
    data = b"".join(packer.compress(row * 64) for _ in range(size // 64)) + packer.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0))
    return SIGNATURE + header + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def patched(name: str, place: int, form: str, *numbers: int) -> bytes:
    data = bytearray(zoo.made(name))
    struct.pack_into(form, data, place, *numbers)
    return bytes(data)


def directories(count: int, loop: bool = False) -> bytes:
    """A TIFF of so many directories, each of the same pixels; a loop's last leads back to the first."""
    entries = {256: [1], 257: [1], 258: [8], 262: [1], 273: [8], 277: [1], 278: [1], 279: [1]}
    size = len(directory("<", 0, entries))
    places = [16 + number * size for number in range(count)]
    after = [*places[1:], places[0] if loop else 0]
    chain = b"".join(directory("<", at, entries, to) for at, to in zip(places, after, strict=True))
    return struct.pack("<2sHI8x", b"II", 42, 16) + chain


def gif_of(count: int) -> bytes:
    pixel = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return zoo.made("palette.gif")[:-1] + (count - 1) * pixel + b";"


def jp2_before(further: bytes) -> bytes:
    """A JPEG 2000 that goes on behind its pixels."""
    return jp2_with(zoo.made("rgb.jp2"), top=[further], last=True)


def tiff_that_lies(tag: int, *numbers: int) -> bytes:
    return tiff(np.asarray(zoo.colours()), 2, tags={tag: numbers})


def exif_that_lies(kind: str) -> bytes:
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)  # its details lie in itself
    if kind == "count":
        entry = struct.pack("<HHII", 0x010E, 2, 0xFFFFFFF0, 8)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + struct.pack("<I", 8)
    return zoo.saved(zoo.colours(), "JPEG", exif=exif)


TOO_MANY = r"pixels are more than max_pixels \(1000000\); raise it or scale the picture$"
FRAMES = r"more than max_frames \(20\) frames or pages; raise it or take the one you want$"
TEXTS = "its texts or its profile are too long"
BROKEN = "is broken,? (or )?cut short"
HUNDRED = 100 * 2**20
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "declared": (lambda: png_header(65_535, 65_535), TOO_MANY),
    "real": (lambda: bomb(50_048), TOO_MANY),
    "long row": (lambda: png_header(2**31 - 1, 1), TOO_MANY),
    "jpeg": (lambda: zoo.made("grey.jpg").replace(b"\0\x1d\0\x25\x01", b"\xff\xff\xff\xff\x01"), TOO_MANY),
    "gif": (lambda: patched("palette.gif", 6, "<HH", 65535, 65535), TOO_MANY),
    "bmp": (lambda: patched("rgb.bmp", 18, "<ii", 2**31 - 1, 2**31 - 1), TOO_MANY),
    "tiff": (lambda: tiff_that_lies(256, 2**32 - 1), TOO_MANY),
    "profile": (lambda: png_with(png_chunk(b"iCCP", b"p\0\0" + zoo.unpacked_size(HUNDRED))), TEXTS),
    "text": (lambda: png_with(png_chunk(b"zTXt", b"Comment\0\0" + zoo.unpacked_size(HUNDRED))), TEXTS),
    "xmp": (
        lambda: png_with(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + zoo.unpacked_size(HUNDRED))),
        TEXTS,
    ),
    "plain text": (lambda: png_with(png_chunk(b"tEXt", b"Comment\0" + b"x" * (2**26 + 1))), TEXTS),
    "strip size": (lambda: tiff(np.asarray(zoo.colours()), 2, compression=8, tags={279: [2**32 - 1]}), BROKEN),
    "strip place": (lambda: tiff_that_lies(273, 2**32 - 1), BROKEN),
    "strip count": (
        lambda: tiff(np.asarray(zoo.colours()), 2, compression=8, tags={273: [8] * 100_000}),
        BROKEN,
    ),
    "no strips": (lambda: tiff_that_lies(273), BROKEN),
    "samples": (lambda: tiff_that_lies(277, 2**20), BROKEN),
    "rows a strip": (lambda: tiff_that_lies(278, 0), BROKEN),
    "deep strip size": (
        lambda: tiff(zoo.deep("RGB"), 2, compression=8, tags={279: [2**32 - 1]}),
        BROKEN,
    ),
    "deep width": (lambda: tiff(zoo.deep("RGB"), 2, tags={256: [900_000], 257: [1]}), BROKEN),
    "directories": (lambda: directories(10_000), FRAMES),
    "frames": (lambda: gif_of(10_000), FRAMES),
    "width 0": (lambda: png_header(0, 10), BROKEN),
    "width 0 of tiff": (lambda: tiff_that_lies(256, 0), BROKEN),
    "width 0 of bmp": (lambda: patched("rgb.bmp", 18, "<i", 0), BROKEN),
    "width 0 of jpeg": (lambda: zoo.made("grey.jpg").replace(b"\0\x1d\0\x25\x01", b"\0\x1d\0\0\x01"), BROKEN),
    "eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", "not a picture bgwatch reads"),
    "ico": (lambda: zoo.saved(zoo.colours(), "ICO"), "not a picture bgwatch reads"),
    "page": (lambda: b"<!doctype html><title>404</title>", "not a picture bgwatch reads"),
}
BORNE: dict[str, Callable[[], bytes]] = {
    "loop of directories": lambda: directories(3, loop=True),
    "exif in itself": lambda: exif_that_lies("loop"),
    "exif without end": lambda: exif_that_lies("count"),
    "exif of noise": lambda: zoo.saved(zoo.colours(), "PNG", exif=b"Exif\0\0" + b"\xff" * 100),
    "profile of noise": lambda: zoo.saved(zoo.colours(), "JPEG", icc_profile=b"\xff" * 500),
    "profile cut short": lambda: zoo.saved(zoo.colours(), "PNG", icc_profile=zoo.SRGB[:200]),
    "xmp without end": lambda: zoo.saved(zoo.colours(), "JPEG", xmp=zoo.XMP[:150] + b"\xff"),
    "frames": lambda: gif_of(20),
    "length of a chunk": lambda: patched("RGB.png", zoo.made("RGB.png").index(b"IDAT") - 4, ">I", 2**31 - 1),
    "box that goes on and on": lambda: jp2_before(struct.pack(">I4s", 2**32 - 1, b"uuid") + EXIF_UUID),
    "wide box without end": lambda: jp2_before(struct.pack(">I4sQ", 1, b"uuid", 2**64 - 1) + EXIF_UUID),
    "many boxes": lambda: jp2_before(box(b"uuid", EXIF_UUID) * 2**20),
    "profile of a bmp": lambda: bmp_v5(zoo.colours(), zoo.SRGB[:200], size=2**32 - 1),
    "profile of a gif": lambda: gif_with(zoo.made("palette.gif"), gif_profile(bytes(17 * 2**20))),
    "xmp of a gif without end": lambda: zoo.made("palette.gif")[:-1] + gif_xmp(zoo.XMP)[:150],
    "much xmp of a gif": lambda: gif_with(zoo.made("palette.gif"), *[gif_xmp(b"x" * 2**20)] * 8),
    "strip size of samples as they are": lambda: tiff_that_lies(279, 2**32 - 1),
}


def whole(path: Path, content: bytes) -> None:
    """Read a file both ways; anything else than a picture or one sentence fails."""
    path.write_bytes(content)
    for read in (decode, frames):
        try:
            found = read(path, LIMIT)
            assert read is decode or list(found)
        except PictureError as error:
            said = str(error)
        else:
            continue
        assert "\n" not in said
        assert said.startswith(f"{path}: ")


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_do_harm_is_refused_in_a_sentence(tmp_path: Path, capfd: Capture, name: str) -> None:
    make, said = REFUSED[name]
    (tmp_path / "a.jpg").write_bytes(make())
    with pytest.raises(PictureError, match=said) as told:
        decode(tmp_path / "a.jpg", LIMIT)
    assert "\n" not in str(told.value)
    assert isinstance(told.value, UnfinishedError) == (said == BROKEN)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", BORNE)
def test_what_is_broken_beside_the_pixels_does_not_cost_them(tmp_path: Path, capfd: Capture, name: str) -> None:
    (tmp_path / "a.png").write_bytes(BORNE[name]())
    picture = decode(tmp_path / "a.png", LIMIT)
    assert min(picture.image.size) > 0
    assert not {"icc_profile", "xmp"} & set(picture.kept)
    assert len(picture.kept.get("exif", b"")) < 100
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", zoo.MAKERS)
def test_what_is_cut_short_is_refused_wherever_the_cut(tmp_path: Path, capfd: Capture, name: str) -> None:
    content, path = zoo.made(name), tmp_path / "short"
    for share in (0.1, 0.25, 0.4, 0.6, 0.75, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        if name.startswith(LONG_PLAY) and share > 0.25:
            whole(path, path.read_bytes())
            continue
        with pytest.raises(UnfinishedError, match=BROKEN):
            decode(path, LIMIT)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=120, derandomize=True, deadline=None)
@given(name=st.sampled_from(sorted(zoo.MAKERS)), dice=st.randoms(use_true_random=False))
def test_a_broken_file_is_a_picture_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, name: str, dice: random.Random
) -> None:
    """What `tests/bench/fuzz.py` does for as long as you like."""
    whole(tmp_path_factory.getbasetemp() / "broken", zoo.broken(zoo.made(name), dice))


@pytest.mark.parametrize("find", sorted(FINDS.iterdir()), ids=lambda find: find.name)
def test_what_once_went_wrong_is_a_picture_or_a_sentence(tmp_path: Path, capfd: Capture, find: Path) -> None:
    """Found by `tests/bench/fuzz.py`; the name tells what came of it then."""
    whole(tmp_path / "find", find.read_bytes())
    assert capfd.readouterr() == ("", "")


READER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from pathlib import Path
from bgwatch.errors import PictureError
from bgwatch.imagefile import decode
from bgwatch.settings import PictureLimits
for name in sys.argv[2:]:
    try:
        decode(Path(name), PictureLimits())
        print("picture")
    except PictureError as error:
        print(error)
"""


@pytest.mark.slow
def test_a_process_with_little_memory_reads_them_all_and_says_nothing_else(tmp_path: Path) -> None:
    """With the default limits; 1.2 GB of address space, most of which libraries reserve."""
    paths = []
    for number, make in enumerate([*(make for make, _ in REFUSED.values()), *BORNE.values()]):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(make())
    command = [sys.executable, "-c", READER, "1200000000", *map(str, paths)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert ended.stderr == ""
    assert ended.returncode == 0
    lines = ended.stdout.splitlines()
    assert len(lines) == len(paths)
    assert all(line == "picture" or line.startswith(f"{path}: ") for line, path in zip(lines, paths, strict=True))


def test_pillow_is_left_as_it_was(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    (tmp_path / "a").write_bytes(zoo.made("moving.gif"))
    for _ in frames(tmp_path / "a", LIMIT):
        assert before == Image.MAX_IMAGE_PIXELS
    assert before == Image.MAX_IMAGE_PIXELS
