"""The straight seam between two parts of a backdrop: a wall and a table, or two lights."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import EIGHT, dilated

REACH = 5
ASTRAY = 7.0
SLACK = 1.0
MOST, FITTING = 0.97, 0.85
LONG, IN_SIGHT, SCARCELY = 0.5, 0.5, 0.08
END = 7.0
TOUCHING = 0.15
FEWEST = 40
ASIDE = 4.0
FACING = 0.65
ALIKE = 12.0


def straight_seam(
    first: NDArray[np.bool_], second: NDArray[np.bool_], residual: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Find the line that parts two regions, if the evidence says that both are backdrop.

    The line crosses the picture, each region lies wholly on its own side of it, and they meet along it: for half
    of its length, or at both of its ends, or at one when each region holds two of the other three sides. And along
    most of the second the first's colour faces it. A shoulder or a shirt that touches the border meets the wall along
    a curve, or has the wall on several sides, or rises above the line between its ends at the border.

    Parameters
    ----------
    first, second : ndarray of bool, shape (H, W)
        Sure backdrop of each part, a pixel or two away from anything else; lengths fit a long side near 180.
    residual : ndarray of float32, shape (3, H, W)
        Colour minus what the first part's surface expects, planes from `ycc`.

    Returns
    -------
    ndarray of float32, shape (H, W), or None
        How far each pixel lies beyond the seam, in pixels, negative on the side of the first; None where there
        is no such line.

    References
    ----------
    K. Pearson, "On lines and planes of closest fit to systems of points in space", 1901.
    """
    meeting = dilated(first, EIGHT, REACH) & dilated(second, EIGHT, REACH)
    points = np.argwhere(meeting).astype(float)
    if len(points) < FEWEST:
        return None
    normal, centre, fitting = _line(points)
    beyond = _beyond(first.shape, normal, centre)
    if beyond[second].mean() < 0:
        normal, beyond = -normal, -beyond
    parted = (beyond[first] < SLACK).mean() > MOST and (beyond[second] > -SLACK).mean() > MOST
    straight = parted and fitting.mean() > FITTING and _facing(first | _alike(residual), second, beyond, normal)
    ends = 1 if _holds_two_sides(first) and _holds_two_sides(second) else 2
    return beyond if straight and _in_sight(beyond, points[fitting], normal, ends) else None


def _line(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Fit a line to most of the points (N, 2): its normal, a point on it, and which points are near."""
    fitting = np.ones(len(points), bool)
    for _ in range(4):
        centre = points[fitting].mean(axis=0)
        _, axes = np.linalg.eigh(np.cov((points[fitting] - centre).T))
        normal = axes[:, 0]
        near = np.abs((points - centre) @ normal) < ASTRAY
        if near.sum() < FEWEST:
            break
        fitting = near
    return normal, centre, fitting


def _beyond(shape: tuple[int, ...], normal: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float32]:
    y, x = np.arange(shape[0])[:, None] - centre[0], np.arange(shape[1])[None] - centre[1]
    return np.asarray(normal[0] * y + normal[1] * x, np.float32)


def _alike(residual: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find what has the expected colour, also where the subject encloses it."""
    alike: NDArray[np.bool_] = (residual * residual).sum(axis=0) < ALIKE**2
    return alike


def _facing(
    first: NDArray[np.bool_], second: NDArray[np.bool_], beyond: NDArray[np.float32], normal: NDArray[np.float64]
) -> bool:
    """Tell whether the first region lies across the line from nearly all of the second that lies along it."""
    line = np.argwhere(np.abs(beyond) < 1)
    across = [np.round(line + side * ASIDE * normal).astype(np.intp) for side in (-1, 1)]
    last = np.array(beyond.shape) - 1
    inside = np.logical_and.reduce([((place >= 0) & (place <= last)).all(axis=1) for place in across])
    here, there = (part[tuple(place[inside].T)] for part, place in zip((first, second), across, strict=True))
    return bool((here & there).sum() > FACING * there.sum())


def _holds_two_sides(part: NDArray[np.bool_]) -> bool:
    """Tell whether a region holds a stretch of two of these sides: top, left, right (shoulders hold the bottom)."""
    touched = [bool(side.mean() > TOUCHING) for side in (part[0], part[:, 0], part[:, -1])]
    return sum(touched) >= 2


def _in_sight(
    beyond: NDArray[np.float32], points: NDArray[np.float64], normal: NDArray[np.float64], wanted: int
) -> bool:
    """Tell whether enough of the line's way through the picture is a meeting of both parts."""
    direction = np.array([normal[1], -normal[0]])
    way = np.argwhere(np.abs(beyond) < 1) @ direction
    seen = points @ direction
    length = float(np.ptp(way))
    share = len(np.unique(np.round(seen))) / max(1.0, length)
    ends = int(seen.min() - way.min() < END) + int(way.max() - seen.max() < END)
    return bool(length > LONG * min(beyond.shape) and (share > IN_SIGHT or (ends >= wanted and share > SCARCELY)))
