"""Where the subject casts a soft shadow on the backdrop."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.depth import depth_from, nearest_in
from bgwatch.segment.morphology import CROSS, EIGHT, closed, dilated, eroded, opened
from bgwatch.segment.planes import dot
from bgwatch.segment.regions import components, reachable
from bgwatch.segment.smoothing import smooth, steepness

FINE, COARSE = 1.0, 3.0
BLURRED = 1.25
STILL = 1.6
STEEPEST = 0.06
NEUTRAL = 7.0
DARKEST, LIGHTEST = 0.3, 1.04
FAINT = 5.0
DIM = 40.0
SMALLEST, SPECK = 0.002, 0.0001
RIM, BARRIER = 3.0, 15.0
SOFT, LONG = 0.6, 1.2
SHARP, BESIDE = 0.5, 2.0
LIT = 0.9
FADING = 24
NEAR = 3
APART, ACROSS = 6.0, 50.0
FEWER = 3
DARKER, MOSTLY, VARIED = 0.06, 0.9, 0.04


def cast_shadow(
    colours: NDArray[np.float32], surface: NDArray[np.float32], sure: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Find where the backdrop is darkened and nothing else: where it keeps its hue and fades without an edge.

    One walks from sure backdrop over pixels that have the expected colour times a factor, through soft edges only:
    an edge is soft when a coarser look at it finds it nearly as steep as a fine look, which no outline in focus is.
    What is dark there is a shadow when most of its rim to the lit backdrop is as soft (a coat into which the walk
    leaked is cut off sharply nearly everywhere), and when there is something beside it to cast it. Gaps that the
    caster encloses have no soft way in; the same colours, no darker, close to the shadow are taken for its part.

    Parameters
    ----------
    colours, surface : ndarray of float32, shape (3, H, W)
        The picture and the backdrop expected in full light, planes from `ycc`; lengths fit a long side near 720.
    sure : ndarray of bool, shape (H, W)
        Pixels that are backdrop beyond doubt.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Shadowed backdrop with the fading rim of its shadow.

    References
    ----------
    T. Horprasert, D. Harwood and L. Davis, "A statistical approach for real-time robust background subtraction and
    shadow detection", 1999 (brightness against chromaticity distortion).
    J. Elder and S. Zucker, "Local scale control for edge detection and blur estimation", 1998.
    """
    factor, alike = _darkening(colours, surface)
    darker = (1 - factor) * surface[0] > FAINT
    if (darker & alike).sum() <= SMALLEST * sure.size:
        return np.zeros_like(sure)  # at once, since looking for edges takes long
    blurred, gentle = _edges(colours[0], surface[0], sure)
    soft = blurred & gentle
    walked = reachable((alike & soft) | sure, sure)
    dark = opened(walked & darker, EIGHT)
    if dark.sum() <= SMALLEST * dark.size:
        return np.zeros_like(sure)
    lit = opened(walked & ~dark & (factor > LIT), EIGHT)
    other = _large(~walked, SPECK) > 0
    found = _fading(dark, lit, other, ~blurred)
    if not found.any():
        return np.zeros_like(sure)
    enclosed = _enclosed(alike & soft & ~walked, factor, found, walked)
    enclosed = closed(enclosed, EIGHT, NEAR) & alike
    whole: NDArray[np.bool_] = enclosed | dilated(found, EIGHT, FADING, within=~other)
    return whole


def _darkening(
    colours: NDArray[np.float32], surface: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Divide by the expected luma, and tell where the chroma follows and the factor is that of a shadow."""
    seen = smooth(colours, FINE)
    factor = seen[0] / np.maximum(surface[0], 1)
    off = seen[1:] - factor * surface[1:]
    alike = (dot(off, off) < NEUTRAL**2) & (factor > DARKEST) & (factor < LIGHTEST) & (surface[0] > DIM)
    return factor, alike


def _edges(
    luma: NDArray[np.float32], expected: NDArray[np.float32], sure: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell where no edge is in focus, a slope like that of the backdrop's noise being none, and where none is steep."""
    fine, coarse = (steepness(luma, sigma) for sigma in (FINE, COARSE))
    few = fine[::FEWER, ::FEWER][sure[::FEWER, ::FEWER]]
    noise = float(np.percentile(few, 90)) if few.size else 0.0
    return fine < np.maximum(max(STILL, 2 * noise), BLURRED * coarse), fine < STEEPEST * expected


def _fading(
    dark: NDArray[np.bool_], lit: NDArray[np.bool_], other: NDArray[np.bool_], sharp: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Keep the parts that are large enough, fade into lit backdrop along their rim, and end at a sharp outline."""
    labels = _large(dark, SMALLEST)
    if not labels.any():
        return np.zeros_like(dark)
    count = int(labels.max()) + 1
    area = np.bincount(labels.ravel(), minlength=count)
    rim = lit & ~eroded(lit, CROSS)
    away, nearest, beyond = depth_from(labels > 0), labels.copy(), np.flatnonzero(labels == 0)
    nearest.flat[beyond] = labels.flat[nearest_in(labels > 0, beyond)]
    fading, whole = (np.bincount(nearest[rim & (away < reach)], minlength=count) for reach in (RIM, BARRIER))
    outline, focused = other & (away < BESIDE), dilated(sharp, EIGHT, NEAR)
    met, cut = (np.bincount(nearest[where], minlength=count) for where in (outline, outline & focused))
    long = LONG * np.sqrt(area)
    kept = (fading > SOFT * whole) & (fading > long) & (cut > SHARP * met) & (met > long)
    kept[0] = False
    fades: NDArray[np.bool_] = kept[labels]
    return fades


def _large(mask: NDArray[np.bool_], least: float) -> NDArray[np.int32]:
    """Give numbers, from 1, to the parts of a mask that hold more than a share of all pixels."""
    labels, _ = components(mask, corners=True)
    area = np.bincount(labels.ravel())
    area[0] = 0
    large = area > least * mask.size
    numbers: NDArray[np.int32] = np.where(large, np.cumsum(large), 0).astype(np.int32)
    numbered: NDArray[np.int32] = numbers[labels]
    return numbered


def _enclosed(
    alike: NDArray[np.bool_], factor: NDArray[np.float32], found: NDArray[np.bool_], walked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Take gaps that are near backdrop, nowhere darker than the shadow, and not evenly of another tone: patches are."""
    labels = _large(opened(alike, EIGHT), SMALLEST)
    count = int(labels.max()) + 1
    if count == 1:
        return np.zeros_like(alike)
    darkest = float(np.percentile(factor[found], 1))
    away, inside = np.full(count, np.inf), labels > 0
    owner, factor = labels[inside], factor[inside]
    np.minimum.at(away, owner, depth_from(walked)[inside])
    area = np.maximum(np.bincount(owner, minlength=count), 1)
    within, as_dark, mean, square = (
        np.bincount(owner, what, count) / area
        for what in (factor > darkest - DARKER, factor < darkest + DARKER, factor, np.square(factor, dtype=float))
    )
    varied = np.sqrt(np.maximum(square - mean**2, 0))
    kept = (away > APART) & (away < ACROSS) & (within > MOSTLY) & ((varied > VARIED) | (as_dark > MOSTLY))
    kept[0] = False
    enclosed: NDArray[np.bool_] = kept[labels]
    return enclosed
