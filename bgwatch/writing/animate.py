"""Frames or pages to one file: an animated PNG or WebP, or a TIFF of several pages, one frame in memory at a time."""

import io
import itertools
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from bgwatch.errors import PictureError
from bgwatch.writing import encode, png, tiff

MOST_TICKS = 2**16 - 1  # of a delay in an animated PNG
NO_DISPOSAL, REPLACE = 0, 0


@dataclass(frozen=True)
class Frame:
    """One frame or page of a result.

    Attributes
    ----------
    pixels : ndarray of uint8 or uint16, shape (H, W) or (H, W, C)
        As `bgwatch.writing.encode.encode` takes them.
    kept : dict
        What belongs to it; an animation takes that of its first frame.
    duration : float or None
        How long it is shown, in milliseconds; None for a page.
    count : int
        How many there are.
    loop : int or None
        How often all are played, 0 for ever; None for once.
    """

    pixels: NDArray[Any]
    kept: dict[str, Any]
    duration: float | None = None
    count: int = 1
    loop: int | None = None

    @property
    def plays(self) -> int:
        """How often all are played, 0 for ever."""
        return 1 if self.loop is None else self.loop


def holds(kind: str, played: bool) -> bool:
    """Tell whether one file of a format shows several frames as what they are: played, or pages to turn."""
    return kind == "tiff" or (played and kind in ("png", "webp"))


def animated(first: Frame, others: Iterable[Frame], kind: str = "png", quality: int | None = None) -> Iterator[bytes]:
    """Encode frames or pages as one file, piece by piece; the same ones give the same bytes.

    Parameters
    ----------
    first : Frame
        The first, which tells how many there are and how often they are played.
    others : iterable of Frame
        All that follow, asked for one at a time.
    kind : {"png", "webp", "tiff"}
        A file format that `holds` them. A TIFF has pages, which are not played.
    quality : int, optional
        Of WebP, from 1 to 100; without it nothing is lost.

    Raises
    ------
    PictureError
        When they are too large for it, or differ in size or colours where it is played.

    References
    ----------
    "Portable Network Graphics (PNG) Specification (Third Edition)", W3C, 2025, 11.3.6 (animation).
    """
    frames = itertools.chain([first], others)
    if kind == "tiff":
        return iter([tiff.encode((frame.pixels, frame.kept) for frame in frames)])
    if kind == "png":
        return _png(_alike(frames, kind), first.count, first.plays)
    return _webp(_alike(frames, kind), first.count, first.plays, quality)


def _alike(frames: Iterable[Frame], kind: str) -> Iterator[Frame]:
    """Refuse frames that an animation cannot hold beside the first."""
    first = None
    for frame in frames:
        encode.refuse_too_large(frame.pixels, kind)
        shape = frame.pixels.shape, frame.pixels.dtype
        first = first or shape
        if shape != first:
            said = f"one {kind} cannot play frames that differ in size or colours"
            raise PictureError(f"{said}; take frames: each, or canvas instead of crop")
        yield frame


def _png(frames: Iterator[Frame], count: int, plays: int) -> Iterator[bytes]:
    """Take the chunks of one PNG a frame apart, and put them together as an animation."""
    numbers = itertools.count()
    for place, frame in enumerate(frames):
        height, width = frame.pixels.shape[:2]
        where = struct.pack(">IIIII", next(numbers), width, height, 0, 0)
        control = png.chunk(b"fcTL", where + _delay(frame.duration or 0.0) + bytes([NO_DISPOSAL, REPLACE]))
        if place == 0:
            yield png.SIGNATURE
        for kind, data in png.chunks(png.encode(frame.pixels, {} if place else frame.kept)):
            if kind == b"IDAT":
                yield control
                control = b""
                yield png.chunk(b"fdAT", struct.pack(">I", next(numbers)) + data) if place else png.chunk(kind, data)
            elif place == 0 and kind != b"IEND":
                yield png.chunk(kind, data)
                if kind == b"IHDR":
                    yield png.chunk(b"acTL", struct.pack(">II", count, plays))
    yield png.chunk(b"IEND", b"")


def _delay(duration: float) -> bytes:
    """Give a delay as a fraction of a second, in whole milliseconds unless it is longer than a minute."""
    ticks, unit = round(duration), 1000
    if ticks > MOST_TICKS:
        ticks, unit = min(MOST_TICKS, round(ticks / 1000)), 1
    return struct.pack(">HH", ticks, unit)


class _Following:
    """The frames after the first, as Pillow's encoder looks at them: it goes to each one and takes it as it is then."""

    def __init__(self, frames: Iterator[Frame], count: int, durations: list[float]) -> None:
        self.n_frames = count
        self._frames, self._durations = frames, durations
        self._image = Image.new("RGB", (1, 1))

    def seek(self, _: int) -> None:
        frame = next(self._frames)
        self._durations.append(frame.duration or 0.0)
        self._image = Image.fromarray(frame.pixels)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._image, name)


def _webp(frames: Iterator[Frame], count: int, plays: int, quality: int | None) -> Iterator[bytes]:
    first = next(frames)
    durations = [first.duration or 0.0]
    file = io.BytesIO()
    Image.fromarray(first.pixels).save(
        file,
        "WEBP",
        save_all=True,
        append_images=[_Following(frames, count - 1, durations)],
        duration=durations,
        loop=plays,
        **encode.options_of("webp", quality),
        **encode.with_resolution(first.kept),
    )
    yield file.getvalue()
