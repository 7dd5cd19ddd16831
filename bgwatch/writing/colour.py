"""A result's colours in another profile: 8 bits through littlecms, and 16, which Pillow's cannot, by their curves."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgwatch.icc import GREY_SPACE, ProfileError, colorants, convert, has_curves, space_of

Curve = NDArray[np.float32]

STRIP = 64  # rows
CURVE_NUMBERS = (1, 3, 4, 5, 7)  # of the parametric curves that there are
STEPS = 9  # a side of the lattice of colours that tells sRGB from other profiles


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
    """Give a colour of sRGB (0 to 255) in a profile (0 to 65535): three values, or one where the profile is grey.

    Raises
    ------
    ProfileError
        When the profile cannot be used.
    """
    found = sixteen_bits(between(sixteen_bits(np.array([[colour]], np.uint8)), None, profile))
    values = tuple(int(value) for value in found.ravel())
    return values[:1] if profile and space_of(profile) == GREY_SPACE else values


def to_srgb(pixels: NDArray[Any], profile: bytes) -> NDArray[Any]:
    """Bring pixels to sRGB, as `between` does."""
    return between(pixels, profile, None)


def between(pixels: NDArray[Any], source: bytes | None, target: bytes | None) -> NDArray[Any]:
    """Bring pixels from one profile to another.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16, shape (H, W, C)
        Three or four channels, the last one alpha, which stays; the colours are equal where a profile is grey.
    source, target : bytes or None
        ICC profiles; None stands for sRGB.

    Returns
    -------
    ndarray of uint8 or uint16, same shape
        Of the same dtype, unless a profile tells colours by tables, which is done in 8 bits.

    Raises
    ------
    ProfileError
        When a profile cannot be used.
    """
    if source == target:
        return pixels
    grey = any(profile is not None and space_of(profile) == GREY_SPACE for profile in (source, target))
    if not grey and (pixels.dtype == np.uint8 or not (has_curves(source) and has_curves(target))):
        image = Image.fromarray(eight_bits(pixels))
        return np.asarray(convert(image, source, target, image.mode))
    matrix = np.eye(3) if grey else np.linalg.solve(colorants(target), colorants(source))
    return np.concatenate([_by_light(pixels[..., :3], source, matrix, target), pixels[..., 3:]], axis=2)


def eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Round 16 bits to the nearest of 8."""
    if pixels.dtype == np.uint8:
        return pixels
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def sixteen_bits(pixels: NDArray[Any]) -> NDArray[np.uint16]:
    """Spread 8 bits over 16."""
    return pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(257)


def _by_light(pixels: NDArray[Any], source: bytes | None, matrix: NDArray[Any], target: bytes | None) -> NDArray[Any]:
    """Bring values to light, light to other primaries by a matrix, and that to values."""
    made = np.empty_like(pixels)
    full = int(np.iinfo(pixels.dtype).max)
    before, after = _curves(source), None if target is None else _curves(target)
    for start in range(0, len(pixels), STRIP):
        strip = pixels[start : start + STRIP].astype(np.uint16) * np.uint16(65535 // full)
        light = np.stack([curve[strip[..., channel]] for channel, curve in enumerate(before)], axis=-1)
        light = (light @ matrix.astype(np.float32).T).clip(0, 1)
        values = _srgb_of(light) if after is None else _against(after, light)
        made[start : start + STRIP] = (values * full + 0.5).astype(pixels.dtype)
    return made


def _srgb_of(light: Curve) -> Curve:
    """Give the values of sRGB, in [0, 1], for light: IEC 61966-2-1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _against(curves: list[Curve], light: Curve) -> NDArray[np.float64]:
    """Give the values, in [0, 1], that curves bring to light, shape (H, W, 3)."""
    values = np.linspace(0, 1, 65536)
    return np.stack([np.interp(light[..., place], curve, values) for place, curve in enumerate(curves)], axis=-1)


def _curves(profile: bytes | None) -> list[Curve]:
    """Give a curve for each channel: the light, in [0, 1], of each of 65536 values."""
    if profile is None:
        values = np.linspace(0, 1, 65536)
        light = np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
        return [light.astype(np.float32)] * 3
    if space_of(profile) == GREY_SPACE:
        return [_curve(profile, b"kTRC")] * 3
    return [_curve(profile, name) for name in (b"rTRC", b"gTRC", b"bTRC")]


def _curve(profile: bytes, name: bytes) -> Curve:
    """Read one of them, the black point compensated."""
    try:
        curve = _read_curve(_tag(profile, name)).clip(0, 1)
    except (struct.error, ValueError, LookupError):
        raise ProfileError("a curve of it is broken") from None
    black = float(curve[0])
    return np.asarray((curve - black).clip(0) / (1 - black) if black < 1 else curve, np.float32)


def _read_curve(data: bytes) -> NDArray[np.float64]:
    """Read a curve of a profile (ICC.1:2022, 10.6 and 10.18)."""
    values = np.linspace(0, 1, 65536)
    (count,) = struct.unpack_from(">I", data, 8)
    if data[:4] == b"para":
        kind = count >> 16
        return _parametric(values, kind, *np.frombuffer(data, ">i4", CURVE_NUMBERS[kind], 12) / 65536)
    if data[:4] != b"curv":
        raise ValueError("neither a curve by values nor one by numbers")
    table = np.frombuffer(data, ">u2", count, 12)
    if count == 0:
        return values
    if count == 1:
        return np.asarray(values ** (table[0] / 256))
    return np.interp(values, np.linspace(0, 1, count), table / 65535)


def _tag(profile: bytes, name: bytes) -> bytes:
    (count,) = struct.unpack_from(">I", profile, 128)
    for number in range(count):
        found, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if found == name:
            return profile[start : start + size]
    raise LookupError(name)


def _parametric(
    values: NDArray[np.float64],
    kind: int,
    gamma: float,
    a: float = 1.0,
    b: float = 0.0,
    c: float = 0.0,
    d: float = 0.0,
    e: float = 0.0,
    f: float = 0.0,
) -> NDArray[np.float64]:
    """Compute a parametric curve: a power above a limit, and a line, or a constant, below it."""
    if kind in (1, 2):  # the line is c, which the power has too
        d, e, c = -b / a if a else 0.0, c, 0.0
        f = e
    upper = np.maximum(a * values + b, 0) ** gamma + e
    return np.where(values >= d, upper, c * values + f)
