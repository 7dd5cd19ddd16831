"""The backdrop as a smooth surface: which colour is to be expected at each place."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.course import polynomial_course
from bgwatch.segment.morphology import CROSS, dilated, eroded
from bgwatch.segment.regions import reachable
from bgwatch.segment.smoothing import carried, slope

DEGREES = (1, 2, 2, 3, 3)
ROUNDS = 48
REACH = 4
SOFT = 18.0
REACHES = (2.5, 5.0, 10.0, 20.0, 40.0)
FEWEST = 20
FAR = 1.1


def sure_backdrop(
    colours: NDArray[np.float32], seeds: NDArray[np.bool_], strip: NDArray[np.bool_], shadow: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Walk over the backdrop from the border inwards, and learn the course of its light on the way.

    Robust polynomials grow with what they explain; then comes what is close to what they left over nearby, or runs
    on from it without an edge. Where that leads far, as from one lamp's light to another's, polynomials that learned
    from the beginning alone go astray, and are fitted again.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc` of a small copy; lengths are in its pixels and fit a long side near 180.
    seeds : ndarray of bool, shape (H, W)
        Border pixels that are backdrop.
    strip : ndarray of bool, shape (H, W)
        All border pixels from which backdrop may be reached.
    shadow : ndarray of bool, shape (H, W)
        Pixels that say nothing about the backdrop in full light.

    Returns
    -------
    course : ndarray of float32, shape (3, H, W)
        What the last polynomials expect everywhere.
    sure : ndarray of bool, shape (H, W)
        Pixels that are backdrop beyond doubt, one pixel away from anything else.
    """
    course, found = _polynomials(colours, seeds, strip, shadow)
    steep = slope(colours)
    sure = eroded(found, CROSS)
    usual = float(np.median(steep[sure])) if sure.any() else 1.0
    gentle = steep < max(2.2, 2.5 * usual)
    for _ in range(ROUNDS):
        left = colours - course
        left -= carried(left, sure, (2.5, 6.0))
        squared = (left * left).sum(axis=0)
        spread = float(np.sqrt(np.median(squared[sure]))) + 0.25 if sure.any() else 1.0
        allowed = np.where(gentle, SOFT, 4 * spread + 0.5) ** 2
        near = dilated(sure, CROSS, REACH)
        grown = eroded(reachable((squared < allowed) & near & ~shadow, strip), CROSS)
        changed = int((grown != sure).sum())
        if grown.sum() > FEWEST:
            sure = grown
        if changed < 5:
            break
    if sure.sum() > FAR * found.sum():
        course, _ = polynomial_course(colours, sure, DEGREES[-1])
    return course, sure


def bent_surface(
    colours: NDArray[np.float32], course: NDArray[np.float32], known: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Bend a course (3, H, W) to known backdrop (H, W), so that it follows mottle and folds.

    Returns
    -------
    ndarray of float32, shape (3, H, W)
        Expected backdrop colour everywhere, also behind the subject; luma within 0..255.
    """
    surface = course + carried(colours - course, known, REACHES)
    np.clip(surface[0], 0, 255, out=surface[0])  # a polynomial overshoots where white is clipped
    return surface


def _polynomials(
    colours: NDArray[np.float32], seeds: NDArray[np.bool_], strip: NDArray[np.bool_], shadow: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Fit polynomials of rising degree, each to what the one before explains; give the last, and what it explains."""
    course, found = colours, seeds
    for degree in DEGREES:
        course, spread = polynomial_course(colours, found, degree)
        away = np.sqrt(((colours - course) ** 2).sum(axis=0))
        found = reachable((away < np.clip(3.2 * spread, 5, 16)) & ~shadow, strip)
        if found.sum() < FEWEST:
            found = seeds
    return course, found
