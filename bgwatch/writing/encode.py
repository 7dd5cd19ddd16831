"""Pixels to the bytes of a file: PNG, WebP, TIFF, AVIF and JPEG, with what belongs to a photograph beside them."""

import io
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from PIL import ExifTags, Image

from bgwatch.errors import PictureError
from bgwatch.writing import png, tiff

LONGEST_SIDE = {"webp": 16383, "avif": 32768, "jpeg": 65500}  # pixels; libavif writes longer ones and reads none
LARGEST = {"avif": 2**28}  # pixels; the same
DEEP = ("png", "tiff")  # formats that hold 16 bits a channel
GREY = ("png", "tiff", "jpeg", "avif")  # formats that hold grey, and those that hold alpha with it
GREY_WITH_ALPHA = ("png", "tiff")
LONGEST_MARKER = 65533  # bytes of a segment of a JPEG, its length apart
XMP_HEADER = 29  # bytes before XMP in its segment
LOSSY_QUALITY = 90
AVIF_SPEED = 8  # half the time of Pillow's 6, and 2 % larger
ALPHA_WITHOUT_LOSS = {"a:cq-level": "0"}  # of libaom; else specks of the colours under it show in what is transparent
RESOLUTION = (ExifTags.Base.XResolution, ExifTags.Base.YResolution)


def holdable(kept: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Leave out what is longer than a format can hold, and say so."""
    room = {"exif": LONGEST_MARKER, "xmp": LONGEST_MARKER - XMP_HEADER} if kind == "jpeg" else {}
    over = [key for key, most in room.items() if len(kept.get(key, b"")) > most]
    notes = tuple(f"its {key.upper()} was left out: it is longer than the 64 KB that jpeg can hold" for key in over)
    return {key: value for key, value in kept.items() if key not in over}, notes


def encode(pixels: NDArray[Any], kept: Mapping[str, Any], kind: str = "png", quality: int | None = None) -> bytes:
    """Encode pixels as a file; the same pixels give the same bytes.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16, shape (H, W) or (H, W, C)
        One to four channels: grey, grey and alpha, RGB, RGBA; alpha is straight. 16 bits go into PNG and TIFF only,
        and JPEG takes no alpha.
    kept : mapping
        ``icc_profile``, ``exif`` and ``xmp`` as bytes, and ``dpi`` as two numbers.
    kind : {"png", "webp", "tiff", "avif", "jpeg"}
        The file format.
    quality : int, optional
        From 1 to 100; without it WebP is lossless, AVIF and JPEG have 90.

    Raises
    ------
    PictureError
        When it is larger than the format can hold.
    """
    refuse_too_large(pixels, kind)
    if kind == "png":
        return png.encode(pixels, kept)
    if kind == "tiff":
        return tiff.encode([(pixels, kept)])
    file = io.BytesIO()
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)
    image.save(file, kind, **options_of(kind, quality), **(kept if kind == "jpeg" else with_resolution(kept)))
    return file.getvalue()


def refuse_too_large(pixels: NDArray[Any], kind: str) -> None:
    """Raise PictureError for pixels that are more than a format can hold."""
    height, width = pixels.shape[:2]
    longest, largest = LONGEST_SIDE.get(kind, 2**31 - 1), LARGEST.get(kind, 2**62)
    if max(height, width) > longest or height * width > largest or (kind == "tiff" and pixels.nbytes > tiff.LARGEST):
        said = f"a result of {width} x {height} pixels is more than {kind} can hold"
        raise PictureError(f"{said}; take png, or make it smaller with canvas")


def with_resolution(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Put the resolution into EXIF, where a format has no other place for it."""
    found = {key: value for key, value in kept.items() if key != "dpi"}
    if "dpi" in kept:
        exif = Image.Exif()
        exif.load(kept.get("exif", b""))
        exif.update(zip(RESOLUTION, kept["dpi"], strict=True))
        exif[ExifTags.Base.ResolutionUnit] = tiff.INCH
        found["exif"] = exif.tobytes()
    return found


def options_of(kind: str, quality: int | None) -> dict[str, Any]:
    """Give what Pillow's encoder of a format is told."""
    if kind == "webp":
        # exact: without loss means also the colours under what is transparent; quality is effort here, and more of it
        # takes twice the time for nothing
        return {"lossless": True, "exact": True, "quality": 50} if quality is None else {"quality": quality}
    # chroma in full resolution: at half of it the outline of a cut-out takes on the colour of its neighbours
    if kind == "avif":
        options = {"subsampling": "4:4:4", "speed": AVIF_SPEED, "max_threads": 1, "advanced": ALPHA_WITHOUT_LOSS}
        return {"quality": quality or LOSSY_QUALITY, **options}
    return {"quality": quality or LOSSY_QUALITY, "subsampling": 0}
