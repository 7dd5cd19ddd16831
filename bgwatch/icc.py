"""ICC profiles: the one door to littlecms, which Pillow brings.

A profile is the bytes of one, or None for sRGB.
"""

import io
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

GREY_SPACE = "GRAY"
LAB: Literal["LAB"] = "LAB"  # in place of a profile: colours as CIE's L, a and b
Profile = bytes | Literal["LAB"] | None
Intent = ImageCms.Intent
BROKEN = (ImageCms.PyCMSError, OSError, ValueError, TypeError)  # what Pillow is seen to raise on broken profiles


class ProfileError(ValueError):
    """A colour profile that is broken, or of another kind than the picture."""


def convert(
    image: Image.Image,
    source: Profile,
    target: Profile,
    mode: str,
    intent: Intent = Intent.RELATIVE_COLORIMETRIC,
) -> Image.Image:
    """Bring a picture's colours from one profile to another, the black point compensated.

    Parameters
    ----------
    image : PIL.Image.Image
        In mode L, RGB or RGBA, whose alpha stays, CMYK or LAB.
    source, target : bytes, "LAB" or None
        ICC profiles; None stands for sRGB.
    mode : str
        Of the result.
    intent : Intent
        What becomes of colours that the target has not.

    Raises
    ------
    ProfileError
        When a profile cannot be used.
    """
    try:
        converted = ImageCms.applyTransform(image, _transform(source, target, image.mode, mode, intent))
    except BROKEN as error:
        raise _unusable(error) from None
    assert converted is not None  # it was not asked for in place
    return converted


def check(profile: bytes, mode: str) -> None:
    """Raise ProfileError unless colours of a mode can be brought from a profile to sRGB."""
    try:
        _transform(profile, None, mode, "RGB", Intent.PERCEPTUAL)
    except BROKEN as error:
        raise _unusable(error) from None


def space_of(profile: bytes) -> str:
    """Tell the colour space of a profile's device, like ``RGB`` or ``GRAY``; empty where the profile is broken."""
    try:
        return str(_read(profile).xcolor_space).strip()
    except ProfileError:
        return ""


def intent_of(profile: Profile) -> Intent:
    """Read the intent of a profile; the absolute one would leave the paper's tint, and is for proofs.

    Raises
    ------
    ProfileError
        When the profile is broken.
    """
    intent = Intent(_read(profile).rendering_intent)
    return Intent.RELATIVE_COLORIMETRIC if intent == Intent.ABSOLUTE_COLORIMETRIC else intent


def has_curves(profile: Profile) -> bool:
    """Tell whether a profile describes colours by a curve a channel and a matrix, and not by tables.

    Raises
    ------
    ProfileError
        When the profile is broken.
    """
    return bool(_read(profile).is_matrix_shaper)


def colorants(profile: Profile) -> NDArray[np.float64]:
    """Give the XYZ of red, green and blue, shape (3, 3), a column for each; fewer columns where some are missing.

    Raises
    ------
    ProfileError
        When the profile is broken.
    """
    found = _read(profile)
    columns = (found.red_colorant, found.green_colorant, found.blue_colorant)
    return np.array([column[0] for column in columns if column]).T


def _transform(source: Profile, target: Profile, mode: str, made: str, intent: Intent) -> ImageCms.ImageCmsTransform:
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.buildTransform(_opened(source), _opened(target), mode, made, intent, flags)


def _opened(profile: Profile) -> ImageCms.ImageCmsProfile:
    if isinstance(profile, bytes):
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(profile or "sRGB"))


def _read(profile: Profile) -> Any:
    try:
        return _opened(profile).profile
    except BROKEN as error:
        raise _unusable(error) from None


def _unusable(error: Exception) -> ProfileError:
    return ProfileError(" ".join(str(error).split()))
