"""Colour profiles: which are worth keeping, and colours that no result can have brought to sRGB."""

import io

from PIL import Image, ImageCms

BROKEN_PROFILE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
SPACES = {"L": b"GRAY", "LA": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB ", "CMYK": b"CMYK", "LAB": b"Lab "}
NAMES = {b"GRAY": "grey", b"RGB ": "RGB", b"CMYK": "CMYK", b"Lab ": "Lab"}


def unfit(profile: bytes, mode: str) -> str:
    """Say in a few words why a profile cannot stay with pixels; nothing where it can.

    Parameters
    ----------
    profile : bytes
        An ICC profile.
    mode : str
        Of the pixels: L, LA, RGB, RGBA, CMYK or LAB.
    """
    space = profile[16:20]
    if profile[36:40] != b"acsp" or space not in NAMES:
        return "is broken"
    if space != SPACES[mode]:
        return f"is for {NAMES[space]} pictures"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode[:-1] if mode[-1] == "A" else mode, "RGB")
    except BROKEN_PROFILE:
        return "is broken"
    return ""


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Bring CMYK or Lab to sRGB.

    With the rendering intent that the profile names, and with black point compensation, as usual for photographs.

    Parameters
    ----------
    image : PIL.Image.Image
        In mode CMYK or LAB.
    profile : bytes
        The profile of its inks, which fits; without one, so empty, C, M and Y each are taken to hold back red, green
        and blue, and K all three.
    """
    if image.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    elif not profile:
        return image.convert("RGB")
    else:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(
        image,
        source,
        ImageCms.createProfile("sRGB"),
        renderingIntent=_intent(source),
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None  # it is not done in place
    return converted


def _intent(profile: ImageCms.ImageCmsProfile) -> ImageCms.Intent:
    """Read the intent of a profile; the absolute one would leave the paper's tint, and is for proofs."""
    intent = ImageCms.Intent(ImageCms.getDefaultIntent(profile))
    return ImageCms.Intent.RELATIVE_COLORIMETRIC if intent == ImageCms.Intent.ABSOLUTE_COLORIMETRIC else intent
