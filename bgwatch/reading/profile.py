"""Colour profiles: which are worth keeping, and colours that no result can have brought to sRGB."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from bgwatch import icc

SPACES = {"L": b"GRAY", "LA": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB ", "CMYK": b"CMYK", "LAB": b"Lab "}
NAMES = {b"GRAY": "grey", b"RGB ": "RGB", b"CMYK": "CMYK", b"Lab ": "Lab"}

GAMMA = 0.45455  # of sRGB, as a PNG tells it
PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # x and y of sRGB's white, red, green and blue
CICP = (1, 13)  # numbers of these primaries and of sRGB's curve: ITU-T H.273
NEAR = 0.005  # what rounding in a file makes of these


def is_told_otherwise(info: Mapping[Any, Any]) -> bool:
    """Tell whether a PNG without a profile has other colours than sRGB's, by its cICP, gAMA or cHRM.

    Parameters
    ----------
    info : mapping
        What was read of it.
    """
    if "cicp" in info:  # which overrules all others
        return tuple(info["cicp"][:2]) != CICP
    if "srgb" in info:
        return False
    found = (info.get("gamma", GAMMA), *info.get("chromaticity", PRIMARIES))
    return not np.allclose(found, (GAMMA, *PRIMARIES), rtol=0, atol=NEAR)


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
        icc.check(profile, mode.removesuffix("A"))
    except icc.ProfileError:
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
    if image.mode != "LAB" and not profile:
        return image.convert("RGB")
    source = icc.LAB if image.mode == "LAB" else profile
    return icc.convert(image, source, None, "RGB", icc.intent_of(source))
