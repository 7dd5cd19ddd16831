"""A cut-out to what its file is to hold: framed, laid on something, in the channels and bits of the format."""

import contextlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import ImageColor

from bgwatch.errors import FolderError, PictureError
from bgwatch.icc import GREY_SPACE, ProfileError, space_of
from bgwatch.imagefile import Identity, Picture, decode
from bgwatch.settings import Output, PictureLimits
from bgwatch.writing.behind import Pixels, fitted, over, over_clear
from bgwatch.writing.colour import between, colour_in, eight_bits, is_srgb, sixteen_bits, to_srgb
from bgwatch.writing.encode import DEEP, GREY, GREY_WITH_ALPHA, holdable
from bgwatch.writing.frame import framed


@dataclass(frozen=True)
class Finished:
    """What is to be encoded.

    Attributes
    ----------
    pixels : ndarray of uint8 or uint16, shape (H, W) or (H, W, C)
        Grey, grey and alpha, RGB or RGBA; alpha is straight.
    kept : dict
        What belongs to it: ``icc_profile``, ``exif``, ``xmp``, ``dpi``.
    notes : tuple of str
        What could not be kept or done, in words.
    grey : bool
        Whether the colour channels are equal.
    """

    pixels: Pixels
    kept: dict[str, Any]
    notes: tuple[str, ...] = ()
    grey: bool = False

    def noting(self, note: str, **changes: Any) -> "Finished":
        """Change something and say why."""
        return replace(self, notes=(*self.notes, note), **changes)

    def without_profile(self) -> dict[str, Any]:
        """Give what is kept but for the colour profile."""
        return {key: value for key, value in self.kept.items() if key != "icc_profile"}


def finish(rgba: Pixels, kept: dict[str, Any], grey: bool, output: Output, limits: PictureLimits) -> Finished:
    """Make of a cut-out what the settings ask for: crop, canvas, colours, fill, and what the format can hold.

    Without any of it nothing is copied.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        Straight alpha.
    kept : dict
        ``icc_profile``, ``exif`` and ``xmp`` as bytes, and ``dpi`` as two numbers, of the picture.
    grey : bool
        Whether the picture was grey; the three colour channels are equal then.
    output : Output
        What is asked for.
    limits : PictureLimits
        For the result, and for a picture that is laid behind.

    Raises
    ------
    PictureError
        When the result would be too large.
    FolderError
        When the picture to lay behind cannot be used, which is no fault of this one.
    """
    made = Finished(rgba, kept, grey=grey)
    if output.crop or output.canvas:
        made = _framed(made, output, limits.max_pixels)
    if output.mask:
        made = replace(made, pixels=made.pixels[..., 3], kept={} if output.strip else made.without_profile())
        return _held_by(made, output.format)
    if output.strip:
        made = replace(_in_srgb(made, "strip leaves its profile out"), kept={})
    if output.fill != "transparent":
        made = _filled(made, output, limits)
    return _held_by(_in_channels_of(made, output.format), output.format)


def _framed(made: Finished, output: Output, max_pixels: int) -> Finished:
    pixels, found = framed(made.pixels, output, max_pixels)
    made = replace(made, pixels=pixels)
    if found:
        return made
    return made.noting("nothing of it is more opaque than crop_alpha, so crop and canvas took the whole picture")


def _in_srgb(made: Finished, why: str) -> Finished:
    """Bring colours from their profile to sRGB, which a file without a profile is taken for."""
    profile = made.kept.get("icc_profile")
    if profile is None:
        return made
    try:
        if space_of(profile) != GREY_SPACE and is_srgb(profile):
            return replace(made, kept=made.without_profile())
        pixels = to_srgb(made.pixels, profile)
    except ProfileError:
        said = "its colour profile cannot be used and was left out, so the colours may look different"
        return made.noting(said, kept=made.without_profile())
    bits = ", in 8 bits a channel" if pixels.dtype != made.pixels.dtype else ""
    return made.noting(
        f"its colours were brought to sRGB{bits}, since {why}", pixels=pixels, kept=made.without_profile()
    )


def _filled(made: Finished, output: Output, limits: PictureLimits) -> Finished:
    if output.picture_behind:
        return _on_picture(made, output, limits)
    colour = ImageColor.getrgb(output.fill)[:3]
    if made.grey and len(set(colour)) > 1:
        made = _coloured(made, "what is laid behind has colours")
    values: tuple[int, ...] = tuple(257 * value for value in colour)
    try:
        values = colour_in(made.kept.get("icc_profile"), colour)
    except ProfileError:
        made = made.noting("its colour profile cannot be used, so the fill colour may look different")
    values = values[:1] if made.grey else values
    behind = np.array(values, np.uint16).reshape(1, 1, -1)
    return replace(made, pixels=over(made.pixels, behind if made.pixels.dtype == np.uint16 else eight_bits(behind)))


def _coloured(made: Finished, why: str) -> Finished:
    """Let a grey picture have colours."""
    if space_of(made.kept.get("icc_profile", b"")) == GREY_SPACE:
        made = _in_srgb(made, f"its profile is for grey pictures, and {why}")
    return replace(made, grey=False)


def _on_picture(made: Finished, output: Output, limits: PictureLimits) -> Finished:
    made = _coloured(made, "what is laid behind has colours")
    height, width = made.pixels.shape[:2]
    path, deep = Path(output.fill), made.pixels.dtype == np.uint16
    given, profile = _picture_behind(path, _state_of(path), limits, width, height, output.fit, deep)
    behind = given
    try:
        behind = between(given, profile, made.kept.get("icc_profile"))
    except ProfileError:
        made = made.noting("a colour profile cannot be used, so what is laid behind may look different")
    if behind.dtype != given.dtype:
        made = made.noting("what is laid behind was brought to 8 bits a channel, for the colours of its profile")
    behind = sixteen_bits(behind) if deep else behind
    if behind.shape[2] == 3:
        return replace(made, pixels=over(made.pixels, behind))
    made = replace(made, pixels=over_clear(made.pixels, behind))
    if output.format != "jpeg":
        return made
    white = np.full((1, 1, 3), np.iinfo(made.pixels.dtype).max, made.pixels.dtype)
    return made.noting(
        "what stayed transparent is white, since jpeg has no transparency", pixels=over(made.pixels, white)
    )


@lru_cache(maxsize=2)  # a thousand pictures, or frames, come to lie on the same one
def _picture_behind(
    path: Path,
    _: Identity | None,
    limits: PictureLimits,
    width: int,
    height: int,
    fit: Literal["cover", "contain"],
    deep: bool,
) -> tuple[Pixels, bytes | None]:
    """Read and scale the picture to lay behind, and give its profile; a file that has changed is read again."""
    try:
        picture = decode(path, limits)
    except PictureError as error:
        raise FolderError(f"fill: {error}") from None
    pixels, profile = _colours_of(picture, deep), picture.kept.get("icc_profile")
    if profile and space_of(profile) == GREY_SPACE:
        with contextlib.suppress(ProfileError):  # with a broken one it stays as it is
            pixels = to_srgb(pixels, profile)
        profile = None
    return fitted(pixels, width, height, fit), profile


def _colours_of(picture: Picture, deep: bool) -> Pixels:
    """Give a picture as RGB or RGBA: in 16 bits where it has them and ``deep`` asks for them."""
    if deep and isinstance(picture.pixels, np.ndarray):
        return np.repeat(picture.pixels[..., None], 3, axis=2) if picture.pixels.ndim == 2 else picture.pixels
    return np.asarray(picture.image.convert("RGBA" if picture.image.mode in ("LA", "RGBA") else "RGB"))


def _state_of(path: Path) -> Identity | None:
    try:
        return Identity.of(path.stat())
    except OSError:  # whoever reads it says why
        return None


def _in_channels_of(made: Finished, kind: str) -> Finished:
    """Leave out the channels that say nothing, as far as the format has a place for grey."""
    if not made.grey:
        return made
    alpha = made.pixels.shape[2] == 4
    if kind in (GREY_WITH_ALPHA if alpha else GREY):
        return replace(made, pixels=made.pixels[..., ::3] if alpha else made.pixels[..., 0])
    return _coloured(made if alpha else replace(made, pixels=np.repeat(made.pixels, 3, axis=2)), f"{kind} has no grey")


def _held_by(made: Finished, kind: str) -> Finished:
    """Leave out what a format cannot hold: long metadata, and half of 16 bits."""
    kept, notes = holdable(made.kept, kind)
    made = replace(made, kept=kept, notes=(*made.notes, *notes))
    if made.pixels.dtype == np.uint8 or kind in DEEP:
        return made
    note = f"16 bits a channel were rounded to 8, which is all that {kind} holds"
    return made.noting(note, pixels=eight_bits(made.pixels))
