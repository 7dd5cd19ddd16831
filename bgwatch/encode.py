"""Pixels to the bytes of a file: PNG, WebP, TIFF, AVIF and JPEG, with what belongs to a photograph beside them."""

import io
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from bgwatch import png
from bgwatch.errors import PictureError

LONGEST_SIDE = {"webp": 16383, "avif": 65535, "jpeg": 65500}
DEEP = ("png", "tiff")  # formats that hold 16 bits a channel
LOSSY_QUALITY = 90
TIFF_STRIP = 64  # rows


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
    height, width = pixels.shape[:2]
    if max(height, width) > (longest := LONGEST_SIDE.get(kind, 2**31 - 1)):
        said = f"{width} x {height} pixels are more than {kind} can hold ({longest} a side); take png or tiff"
        raise PictureError(f"the result cannot be written: {said}")
    if kind == "png":
        return png.encode(pixels, kept)
    if kind == "tiff":
        return _tiff(pixels, kept)
    file = io.BytesIO()
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)
    image.save(file, kind, **_options(kind, quality), **kept)
    return file.getvalue()


def _options(kind: str, quality: int | None) -> dict[str, Any]:
    if kind == "webp":
        # exact: without loss means also the colours under what is transparent
        return {"lossless": True, "exact": True} if quality is None else {"quality": quality}
    # chroma in full resolution: at half of it the outline of a cut-out takes on the colour of its neighbours
    if kind == "avif":
        return {"quality": quality or LOSSY_QUALITY, "subsampling": "4:4:4", "max_threads": 1}
    return {"quality": quality or LOSSY_QUALITY, "subsampling": 0, "optimize": True}


def _tiff(pixels: NDArray[Any], kept: Mapping[str, Any]) -> bytes:
    """Write TIFF through tifffile: Pillow cannot write 16-bit colours, and OpenCV flags no alpha and keeps nothing."""
    import tifffile

    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        pixels,
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        rowsperstrip=TIFF_STRIP,
        resolution=kept.get("dpi"),
        resolutionunit="inch" if "dpi" in kept else None,
        iccprofile=kept.get("icc_profile"),
        metadata=None,
        software=False,
        maxworkers=1,
    )
    return file.getvalue()
