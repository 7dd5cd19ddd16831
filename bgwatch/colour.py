"""Colours between ICC profiles, through littlecms, 8 bits a channel."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

GREY_SPACE = "GRAY"
STEPS = 9  # a side of the lattice of colours that tells sRGB from other profiles


class ProfileError(ValueError):
    """A colour profile that is broken, or of another kind than the picture."""


def convert(image: Image.Image, source: bytes | None, target: bytes | None, mode: str) -> Image.Image:
    """Bring a picture's colours from one profile to another: relative colorimetric, black point compensated.

    Parameters
    ----------
    image : PIL.Image.Image
        In mode L, RGB or RGBA, whose alpha stays.
    source, target : bytes or None
        ICC profiles; None stands for sRGB.
    mode : str
        Of the result.

    Raises
    ------
    ProfileError
        When a profile cannot be used.
    """
    try:
        transform = ImageCms.buildTransform(
            _opened(source),
            _opened(target),
            image.mode,
            mode,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise ProfileError(" ".join(str(error).split())) from None
    assert converted is not None  # it was not asked for in place
    return converted


def space_of(profile: bytes) -> str:
    """Tell the colour space of a profile's device, like ``RGB`` or ``GRAY``; empty where the profile is broken."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except (ImageCms.PyCMSError, OSError, ValueError):
        return ""


def is_srgb(profile: bytes) -> bool:
    """Tell whether colours in a profile are the same in sRGB, but for rounding.

    Raises
    ------
    ProfileError
        When the profile cannot be used for RGB.
    """
    levels = np.linspace(0, 255, STEPS).round().astype(np.uint8)
    lattice = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(STEPS, -1, 3)
    converted = np.asarray(convert(Image.fromarray(lattice), profile, None, "RGB"))
    return bool(np.abs(converted.astype(int) - lattice).max() <= 1)


def colour_in(profile: bytes | None, colour: tuple[int, int, int]) -> tuple[int, ...]:
    """Give a colour of sRGB in a profile: three values, or one where the profile is grey.

    Raises
    ------
    ProfileError
        When the profile cannot be used.
    """
    mode = "L" if profile and space_of(profile) == GREY_SPACE else "RGB"
    found = np.asarray(convert(Image.new("RGB", (1, 1), colour), None, profile, mode))
    return tuple(int(value) for value in found.ravel())


def grey_curve(profile: bytes) -> NDArray[np.uint8]:
    """Give the 256 levels of sRGB that the levels of a grey profile look like.

    Raises
    ------
    ProfileError
        When the profile cannot be used for grey.
    """
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    return np.asarray(convert(ramp, profile, None, "RGB"))[0, :, 1]


def _opened(profile: bytes | None) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB") if profile is None else io.BytesIO(profile))
