"""An opened file to upright pixels, grey or RGB, with what goes along with them."""

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps

from bgwatch.errors import PictureError
from bgwatch.reading.deep import bits_of, deep_pixels, turned
from bgwatch.reading.deep_tiff import odd_lab
from bgwatch.reading.embedded import Embedded, embedded
from bgwatch.reading.metadata import forget_other_pages, metadata_of, orientation_of
from bgwatch.reading.profile import is_told_otherwise, to_srgb, unfit

GREY = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N")
FEW_BITS = {"L;2": 85, "L;4": 17}
INKS = ("CMYK", "LAB")


@dataclass(frozen=True)
class Decoded:
    """Pixels and what an encoder is to write again.

    Attributes
    ----------
    pixels : PIL.Image.Image or ndarray of uint16
        Upright: an image in one of the modes L, LA, RGB, RGBA; or, of a picture of 16 bits a channel, an array of
        the shape (H, W), (H, W, 3) or (H, W, 4) with straight alpha.
    grey : bool
        Whether there are no colours; the first three channels of an array with alpha are equal then.
    kept : dict
        Of ``icc_profile``, ``exif``, ``xmp`` and ``dpi`` what is there and fits the pixels.
    notes : tuple of str
        What could not be kept, in words.
    """

    pixels: Image.Image | NDArray[np.uint16]
    grey: bool
    kept: dict[str, Any]
    notes: tuple[str, ...]


def decoded(image: Image.Image, file: BinaryIO, path: object) -> Decoded:
    """Decode a picture that has been opened.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture, at the frame that is wanted; it is changed.
    file : file
        What it was opened from.
    path : object
        What a message calls it.

    Raises
    ------
    PictureError
        When its values have no fixed range.
    OSError, ValueError, ...
        Those of `bgwatch.reading.metadata.BROKEN`, when it is broken.
    """
    if image.format == "TIFF":
        forget_other_pages(image)
        if (lab := odd_lab(image.tag_v2, file)) is not None:  # type: ignore[attr-defined]
            return _from_lab(lab, image, _fewer(bits_of(image, file)))
    beside = embedded(file)
    for name, data in beside.tags.items():
        image.info[name] = data
    late = image.format == "PNG"  # EXIF may follow its pixels
    orientation = 1 if late else orientation_of(image)
    deep = deep_pixels(image, file)
    bits = bits_of(image, file)
    if deep is None:
        image = _loaded(image, bits, beside)
    orientation = orientation_of(image) if late else orientation
    grey = image.mode in GREY if deep is None else deep[1]
    notes = list(beside.notes)
    if deep is None:
        notes += _fewer(bits)
        ImageOps.exif_transpose(image, in_place=True)  # which copies only what it turns
        profile = _fitting(image, image.mode if image.mode in INKS else "L" if grey else "RGB", notes)
        pixels: Image.Image | NDArray[np.uint16] = _plain(image, bits, profile, notes, path)
    else:
        profile = _fitting(image, "L" if grey else "RGB", notes)
        pixels = turned(deep[0], orientation)
    kept = metadata_of(image, orientation)
    if profile and image.mode not in INKS:
        kept["icc_profile"] = profile
    return Decoded(pixels, grey, kept, tuple(notes))


def _fewer(bits: int) -> list[str]:
    return [f"{bits} bits a channel were brought to 8"] if bits > 8 else []


def _from_lab(lab: NDArray[np.uint8], image: Image.Image, notes: list[str]) -> Decoded:
    orientation = orientation_of(image)
    upright = turned(lab, orientation)
    bands = [Image.fromarray(np.ascontiguousarray(upright[..., band])) for band in range(3)]
    return Decoded(to_srgb(Image.merge("LAB", bands), b""), False, metadata_of(image, orientation), tuple(notes))


def _loaded(image: Image.Image, bits: int, beside: Embedded) -> Image.Image:
    """Load a picture, with colours where its profile is for colours though all of them are grey."""
    _scale_key(image, bits)
    image.load()
    if beside.coloured and "icc_profile" in beside.tags and image.mode in ("1", "L"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _scale_key(image: Any, bits: int) -> None:
    """Scale a PNG's key colour: Pillow brings 2, 4 and 16 bits to 8, but leaves the key as it was."""
    if image.format not in ("PNG", None):  # a frame has no format
        return
    key = image.info.get("transparency")
    factors = [FEW_BITS[tile.args] for tile in getattr(image, "tile", ()) if tile.args in FEW_BITS]
    if factors and isinstance(key, int):
        image.info["transparency"] = key * factors[0]
    if bits > 8 and isinstance(key, tuple):
        image.info["transparency"] = tuple(part >> bits - 8 for part in key)


def _fitting(image: Image.Image, mode: str, notes: list[str]) -> bytes:
    """Take the picture's profile, or note why not."""
    profile = bytes(image.info.get("icc_profile") or b"")
    if profile and (reason := unfit(profile, mode)):
        notes.append(f"its colour profile {reason} and was left out")
        return b""
    if not profile and is_told_otherwise(image.info):
        notes.append("its gamma or primaries are not sRGB's and were left out; give it a colour profile to keep them")
    return profile


def _plain(image: Image.Image, bits: int, profile: bytes, notes: list[str], path: object) -> Image.Image:
    """Bring any mode to L, LA, RGB or RGBA."""
    if image.mode in INKS:
        if image.mode == "CMYK" and not profile:
            notes.append("its inks have no colour profile, so its colours are a guess")
        plain_inks = image.format == "JPEG" and "adobe" not in image.info  # Pillow takes all for Adobe's, inverted
        return to_srgb(ImageChops.invert(image) if plain_inks else image, profile)
    if image.mode in ("F", "I"):
        raise PictureError(
            f"{path}: its values ({'floating point' if image.mode == 'F' else '32-bit integers'}) have no fixed range;"
            " convert it to 8 or 16 bits"
        )
    if image.mode == "La":
        image = image.convert("LA")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> bits - 8).astype(np.uint8))
    grey = image.mode in GREY
    mode = "L" if grey else "RGB"
    if image.has_transparency_data:  # also a palette's or a key colour's
        mode = "LA" if grey else "RGBA"
    return image if image.mode == mode else image.convert(mode)
