"""Where the subject casts a soft shadow on the backdrop."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bgwatch.segment.regions import EIGHT, reachable
from bgwatch.segment.smoothing import smooth

FINE, COARSE = 1.0, 3.0
BLURRED = 1.25
STILL = 1.6
STEEPEST = 0.06
NEUTRAL = 7.0
DARKEST, LIGHTEST = 0.3, 1.04
FAINT = 5.0
DIM = 40.0
SMALLEST = 0.0015
RIM, BARRIER = 5, 15
SOFT = 0.85
LIT = 0.9
FADING = 12
CASTER = 9
BESIDE = 0.5
ACROSS = 40
DARKER = 0.04


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
    alike &= _soft(colours[0], surface[0], sure)
    walked = reachable(alike | sure, sure)
    dark = (1 - factor) * surface[0] > FAINT
    found = _fading(ndimage.binary_opening(walked & dark, EIGHT), walked, factor)
    if not found.any():
        return found
    enclosed = _enclosed(alike & ~walked, factor, found)
    return enclosed | (ndimage.binary_dilation(found, EIGHT, FADING) & walked)


def _darkening(
    colours: NDArray[np.float32], surface: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Divide by the expected luma, and tell where the chroma follows and the factor is that of a shadow."""
    seen = smooth(colours, FINE)
    factor = seen[0] / np.maximum(surface[0], 1)
    off = np.hypot(*(seen[1:] - factor * surface[1:]))
    alike = (off < NEUTRAL) & (factor > DARKEST) & (factor < LIGHTEST) & (surface[0] > DIM)
    return factor, alike


def _soft(luma: NDArray[np.float32], expected: NDArray[np.float32], sure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell where no edge is in focus; a slope like that of the backdrop's noise is none."""
    fine, coarse = (ndimage.gaussian_gradient_magnitude(luma, sigma, mode="nearest") for sigma in (FINE, COARSE))
    noise = float(np.percentile(fine[sure], 90)) if sure.any() else 0.0
    soft: NDArray[np.bool_] = fine < np.maximum(max(STILL, 2 * noise), BLURRED * coarse)
    return soft & (fine < STEEPEST * expected)


def _fading(dark: NDArray[np.bool_], walked: NDArray[np.bool_], factor: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Keep the parts that are large enough, fade into lit backdrop along their rim, and lie beside something."""
    labels, count = ndimage.label(dark, EIGHT)
    lit = ndimage.binary_opening(walked & ~dark & (factor > LIT), EIGHT)
    rim = lit & ~ndimage.binary_erosion(lit, border_value=1)
    soft, all_of_it = (
        np.bincount(ndimage.grey_dilation(labels, size=(size, size))[rim], minlength=count + 1)
        for size in (RIM, BARRIER)
    )
    area = np.bincount(labels.ravel(), minlength=count + 1)
    caster = ndimage.binary_opening(~walked, EIGHT)
    beside = np.bincount(labels[ndimage.binary_dilation(caster, EIGHT, CASTER)], minlength=count + 1)
    kept = (area > SMALLEST * dark.size) & (soft > SOFT * all_of_it) & (beside > BESIDE * CASTER * np.sqrt(area))
    kept[0] = False
    return kept[labels]


def _enclosed(alike: NDArray[np.bool_], factor: NDArray[np.float32], found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Take what is close to the shadow, as large, and nowhere darker."""
    labels, count = ndimage.label(ndimage.binary_opening(alike, EIGHT))
    numbers = np.arange(count + 1)
    area = np.bincount(labels.ravel(), minlength=count + 1)
    away = np.asarray(ndimage.minimum(ndimage.distance_transform_edt(~found), labels, numbers))
    least = np.asarray(ndimage.minimum(factor, labels, numbers))
    kept = (area > SMALLEST * found.size) & (away < ACROSS) & (least > factor[found].min() - DARKER)
    kept[0] = False
    return kept[labels]
