"""Files of several frames or pages to one result that holds them all."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image
from scenes import Ended, disc

from bgwatch import remove_background
from bgwatch.errors import PictureError
from bgwatch.job import Job, Outcome, run
from bgwatch.settings import Folder, Segmentation, Settings
from bgwatch.watch.service import Service
from bgwatch.writing.animate import Frame, animated

TAG = ExifTags.Base
DURATIONS = [40, 80, 70_000]


@pytest.fixture
def animation(tmp_path: Path) -> Path:
    """Three discs of different colours, without loss."""
    first, *others = [disc(seed=seed) for seed in range(3)]
    path = tmp_path / "a.webp"
    first.save(path, save_all=True, append_images=others, duration=DURATIONS, loop=3, lossless=True)
    return path


def cut(source: Path, target: Path, kind: str, **limits: object) -> Outcome:
    limits = {"frames": "all", **limits}
    return run(Job(str(source), str(target), Segmentation().model_dump(), limits, {"format": kind}))


def shown(path: Path) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    with Image.open(path) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            yield np.asarray(image.convert("RGBA")), dict(image.info)


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_every_frame_is_cut_out_as_if_it_were_alone(animation: Path, tmp_path: Path, kind: str) -> None:
    """Kept are its pixels, its time and how often all are played; one more digit than PNG has for time is rounded."""
    outcome = cut(animation, tmp_path / "out", kind)
    assert (outcome.state, outcome.reasons) == ("done", ())
    assert [step.name for step in outcome.steps] == ["start", "decode", "segmentation", "encode"]
    before, after = list(shown(animation)), list(shown(tmp_path / "out"))
    assert len(after) == 3
    for (pixels, told), (made, info) in zip(before, after, strict=True):
        assert np.array_equal(made, remove_background(pixels[..., :3]).rgba)
        if kind != "tiff":
            assert (info["duration"], info["loop"]) == (told["duration"], 3)
    assert outcome.confidence == min(remove_background(pixels[..., :3]).confidence for pixels, _ in before)


def test_the_same_frames_give_the_same_bytes(animation: Path, tmp_path: Path) -> None:
    for kind in ("png", "webp", "tiff"):
        found = set()
        for number in range(2):
            cut(animation, tmp_path / f"{kind}-{number}", kind)
            found.add((tmp_path / f"{kind}-{number}").read_bytes())
        assert len(found) == 1


def test_16_bits_and_pages_of_any_size_stay_in_a_tiff(tmp_path: Path) -> None:
    import tifffile

    deep = np.asarray(disc()).astype(np.uint16) * 257
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(deep, photometric="rgb")
        writer.write(deep[::2, ::2], photometric="rgb")
    assert cut(tmp_path / "a.tif", tmp_path / "out", "tiff").state == "done"
    with tifffile.TiffFile(tmp_path / "out") as file:
        pages = [page.asarray() for page in file.pages]
    assert [page.shape for page in pages] == [(140, 120, 4), (70, 60, 4)]
    assert tuple(pages[0][60, 60]) == (*deep[60, 60], 65535)


def test_each_page_of_a_tiff_keeps_what_belongs_to_it(tmp_path: Path) -> None:
    """Of different lengths, 16 bits or 8, some with EXIF and some without."""
    import tifffile

    def kept(name: str) -> dict[str, Any]:
        exif = Image.Exif()
        exif[TAG.Artist] = name
        exif.get_ifd(ExifTags.IFD.Exif)[TAG.MakerNote] = name.encode() * 30
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: "R98"}
        exif.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
        return {"exif": exif.tobytes(), "dpi": (300.0, 200.0), "xmp": f"<rdf:RDF>{name}</rdf:RDF>".encode()}

    names = ["someone", "another one", "", "odd"]
    pixels = [np.asarray(disc(37, 130, seed)).astype(kind) for seed, kind in enumerate(["u1", "u2", "u1", "u2"])]
    pages = [Frame(each, kept(name) if name else {}, count=4) for each, name in zip(pixels, names, strict=True)]
    (tmp_path / "a.tif").write_bytes(b"".join(animated(pages[0], pages[1:], "tiff")))
    with Image.open(tmp_path / "a.tif") as image:
        for number, name in enumerate(names):
            image.seek(number)
            exif = image.getexif()
            details = exif.get_ifd(ExifTags.IFD.Exif)
            assert exif.get(TAG.Artist, "") == name
            assert details.get(TAG.MakerNote, b"") == name.encode() * 30
            assert exif.get_ifd(ExifTags.IFD.Interop) == ({1: "R98"} if name else {})
            assert exif.get_ifd(ExifTags.IFD.GPSInfo) == ({1: "N"} if name else {})
            assert (f">{name}<".encode() in image.info.get("xmp", b"")) == bool(name)
            assert image.tag_v2[TAG.XResolution] == (300 if name else 1)  # type: ignore[attr-defined]
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert not any(page.offset % 2 for page in file.pages), "a directory begins on a word boundary: TIFF 6.0, 2"
        assert all(np.array_equal(page.asarray(), each) for page, each in zip(file.pages, pixels, strict=True))
    outcome = cut(tmp_path / "a.tif", tmp_path / "out", "tiff")
    assert outcome.written
    assert not any("EXIF" in reason for reason in outcome.reasons)
    with Image.open(tmp_path / "out") as image:
        assert [(image.seek(number), image.getexif().get(TAG.Artist, ""))[1] for number in range(4)] == names


def test_pages_that_are_too_much_for_a_tiff_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    first, others = _two((40, 40))
    size = len(b"".join(animated(first, others, "tiff")))
    monkeypatch.setattr("bgwatch.writing.tiff.LARGEST", 40 * 40)
    assert size < 40 * 40
    with pytest.raises(PictureError, match=r"its frames or pages are more than tiff can hold; take frames: each"):
        list(animated(first, 10 * others, "tiff"))


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_the_memory_does_not_grow_with_the_number_of_frames(kind: str) -> None:
    """No more are alive than the first and the last one when the next is made."""
    alive: set[int] = set()

    class Tracked(np.ndarray):
        def __del__(self) -> None:
            alive.discard(id(self))

    def frame(number: int) -> Frame:
        assert len(alive) <= 2
        pixels = np.full((8, 8, 4), number, np.uint8).view(Tracked)
        alive.add(id(pixels))
        return Frame(pixels, {}, 10.0, 9)

    assert b"".join(animated(frame(0), map(frame, range(1, 9)), kind))


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_frames_that_differ_are_not_played(animation: Path, tmp_path: Path, kind: str) -> None:
    first = Frame(np.zeros((9, 9, 4), np.uint8), {}, 10.0, 2)
    with pytest.raises(PictureError, match=f"one {kind} cannot play frames that differ in size or colours; take"):
        list(animated(first, [replace(first, pixels=first.pixels[1:])], kind))
    with pytest.raises(PictureError, match="more than webp can hold"):
        list(animated(*_two((1, 17000, 4)), "webp"))


def _two(shape: tuple[int, ...]) -> tuple[Frame, list[Frame]]:
    frame = Frame(np.zeros(shape, np.uint8), {}, count=2)
    return frame, [frame]


def test_a_frame_that_is_broken_fails_the_whole(
    tmp_path: Path, draw: Callable[..., Path], bgwatch: Callable[..., Ended]
) -> None:
    first, second = disc(), disc(seed=1)
    first.save("a.tif", save_all=True, append_images=[second], compression="tiff_lzw")
    whole = Path("a.tif").read_bytes()
    cut_short = bytearray(whole)
    cut_short[len(whole) // 2 + 500 : -400] = b"\0" * (len(whole) - len(whole) // 2 - 900)
    Path("a.tif").write_bytes(cut_short)
    ended = bgwatch("remove", "a.tif", "-o", "out", "--frames", "all", "--workers", 1)
    assert (ended.code, ended.out) == (1, "")
    assert "failed: a.tif: the picture is broken or cut short" in ended.err
    assert not list(Path("out").iterdir())


def test_frames_of_which_no_time_is_told_are_played_as_browsers_do(tmp_path: Path) -> None:
    first, second = disc(), disc(seed=1)
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second], duration=40)
    plain, count = re.subn(rb"\x21\xf9\x04.{4}\x00", b"", (tmp_path / "a.gif").read_bytes(), flags=re.DOTALL)
    assert count == 2
    (tmp_path / "a.gif").write_bytes(plain)
    assert cut(tmp_path / "a.gif", tmp_path / "out", "png").state == "done"
    assert [info["duration"] for _, info in shown(tmp_path / "out")] == [100, 100]


def test_a_file_of_one_picture_comes_out_as_ever(tmp_path: Path, draw: Callable[..., Path]) -> None:
    source = draw(tmp_path / "a.png")
    for frames in ("first", "all"):
        assert cut(source, tmp_path / frames, "png", frames=frames).state == "done"
    assert (tmp_path / "first").read_bytes() == (tmp_path / "all").read_bytes()


def test_a_watched_folder_does_them_too(tmp_path: Path, animation: Path) -> None:
    folder = Folder(inbox=str(tmp_path / "in"), outbox=str(tmp_path / "out"), settle_seconds=0.05, frames="all")
    (tmp_path / "in").mkdir()
    animation.rename(tmp_path / "in" / "a.webp")
    assert Service(Settings(folders=(folder,), workers=1), tmp_path / "state").run(once=True) == 0
    assert len(list(shown(tmp_path / "out" / "a.png"))) == 3
    assert (tmp_path / "out" / "done" / "a.webp").exists()
