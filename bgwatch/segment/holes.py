"""Backdrop that the subject encloses: opened where the evidence says it is backdrop."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import CROSS, EIGHT, dilated, eroded, highest, opened
from bgwatch.segment.planes import dot
from bgwatch.segment.regions import components, reachable, rims
from bgwatch.segment.smoothing import smooth_known

NEAR = (2.6, 4.2)
TIGHT = 1.6
SMALLEST = 20
RINGING, BLOCK, UNEVEN = (0.03, 0.035), 15, 0.2
NOISY = 2.5  # times the backdrop's variance
BLOCKY, TINTED = 22**0.5, 2.9  # levels of chroma that JPEG's blocks deviate, and are off in the mean
FEWEST = 12
SOFT_RIM = 0.35
RIM_NEAR = 8.0
WIDE, WIDEST = 30.0, 60.0
PATTERN, FEW = 12, 0.33
BESIDE, ACROSS, MOST = 4, 8, 0.63
OPEN = 5.0  # levels
COARSE, COURSE = 4, 6.0
FEWER = 2


class Holes(NamedTuple):
    """Enclosed regions of a backdrop colour.

    Attributes
    ----------
    clear : ndarray of bool, shape (H, W)
        The opened ones, grown to their rim.
    doubtful : ndarray of bool, shape (H, W)
        Those too small for evidence: the matte decides.
    opened, kept : int
        How many were opened, and how many left to the subject.
    suspect : float
        Share of all that is not backdrop that lies in those left to the subject, in [0, 1].
    """

    clear: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    opened: int
    kept: int
    suspect: float


def enclosed_backdrop(
    residual: NDArray[np.float32],
    surface: NDArray[np.float32],
    distances: NDArray[np.float32],
    sure: NDArray[np.bool_],
    backdrop: NDArray[np.bool_],
    wanted: Literal["auto", "open", "fill"],
) -> Holes:
    """Find enclosed regions that are backdrop.

    A hole has the backdrop's mean colour and no more than its noise, and a sharp rim: teeth, shirts and
    highlights come near the backdrop's colour only in their middle. Behind a wide subject the expected colour is a
    guess: a wide hole may be off by as much as the backdrop wanders elsewhere.

    Parameters
    ----------
    residual : ndarray of float32, shape (3, H, W)
        Colour minus expected backdrop.
    surface : ndarray of float32, shape (3, H, W)
        Expected backdrop.
    distances : ndarray of float32, shape (3, H, W)
        From `evidence`.
    sure, backdrop : ndarray of bool, shape (H, W)
        Backdrop beyond doubt; backdrop connected to the border.
    wanted : {"auto", "open", "fill"}
        Open on evidence; open whatever has a backdrop colour; or open nothing.

    Returns
    -------
    Holes
        What was opened, and what was not.
    """
    near = (distances[0] < NEAR[0]) & (distances[1] < NEAR[1]) & ~backdrop
    labels, count = components(opened(near, CROSS))
    area = np.bincount(labels.ravel(), minlength=count + 1)
    candidates = area >= SMALLEST
    candidates[0] = False
    accepted = candidates & (wanted != "fill")
    wander = _wander(surface, sure)
    if wanted == "open":
        means = [np.bincount(labels.ravel(), plane.ravel(), count + 1) / np.maximum(area, 1) for plane in residual]
        accepted &= np.abs(means).max(axis=0) < OPEN
    if wanted == "auto":
        sharp = _sharp_rim(distances[0], np.where(candidates, np.arange(count + 1), 0).take(labels), backdrop, count)
        small = candidates & (area < WIDE**2)
        accepted &= sharp & _like_backdrop(residual, labels, area, sure, wander, small & sharp)
        if small.sum() >= PATTERN and (accepted & small).sum() < FEW * small.sum():
            accepted &= ~small  # as in a printed shirt: where most are none, the others are by chance
    found = accepted.take(labels)
    grown = dilated(found, CROSS, 3, within=distances[0] < TIGHT)
    wide = found & (area > WIDE**2).take(labels)
    if wide.any():
        looser = 1 + wander[0] / _spread(residual[0], sure)
        nearly = (distances[0] < NEAR[0] * looser) & (distances[1] < NEAR[1] * looser) & ~backdrop
        grown |= reachable(nearly | wide, wide)
    doubtful = (area < SMALLEST) & (wanted != "fill")
    doubtful[0] = False
    refused = candidates & ~accepted
    suspect = float(area[refused].sum() / max(1, int((~(backdrop | grown)).sum())))
    return Holes(grown, doubtful.take(labels), int(accepted.sum()), int(refused.sum()), suspect)


def _like_backdrop(
    residual: NDArray[np.float32],
    labels: NDArray[np.int32],
    area: NDArray[np.intp],
    sure: NDArray[np.bool_],
    wander: NDArray[np.float32],
    meshes: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Compare mean and variance of each region's interior with sure backdrop's noise and JPEG's ringing."""
    inside, owner = _interiors(labels, len(area))
    number = np.maximum(np.bincount(owner, minlength=len(area)), 1)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.bincount(owner, values, len(area)) / number

    contrast = highest(dot(residual, residual), BLOCK).ravel()[inside]
    still = np.ones(len(area), bool)
    means, room = np.zeros((2, 3, len(area)))
    width = np.interp(np.sqrt(area), (WIDE, WIDEST), (0, 1))
    for channel, plane in enumerate(residual):
        noise, values = _spread(plane, sure), plane.ravel()[inside]
        means[channel], square = mean(values), mean(values * values)
        least = max(BLOCKY**2, NOISY * noise**2) if channel else NOISY * noise**2 + 1
        allowed = mean(np.maximum(least, np.float32(RINGING[channel > 0] ** 2) * contrast))
        room[channel] = width * wander[channel] + max(TINTED if channel else 0.0, 0.9 * noise + 0.5)
        if channel == 0:
            variance = square - means[0] ** 2
            room[0] += UNEVEN * np.sqrt(np.maximum(variance - noise**2, 0))  # rings, where a pale patch would be even
            still &= variance < allowed
        else:
            still &= square < allowed
    like = still & (np.abs(means) < room).all(axis=0)
    return _neighbouring(like, meshes & still, means, room, labels)


def _interiors(labels: NDArray[np.int32], count: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Index the pixels of regions but for their rims, and give each its region's number; a thin one counts whole."""
    inside = np.flatnonzero(labels)
    owner, interior = labels.ravel()[inside], eroded(labels > 0, EIGHT).ravel()[inside]
    thin = np.bincount(owner[interior], minlength=count) < FEWEST
    counted = interior | thin[owner]
    return inside[counted], owner[counted]


def _neighbouring(
    like: NDArray[np.bool_],
    meshes: NDArray[np.bool_],
    means: NDArray[np.float64],
    room: NDArray[np.float64],
    labels: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Compare meshes of a net with those beside them that are like backdrop: they know its light better than a surface.

    Returns
    -------
    ndarray of bool
        ``like``, with all such meshes added where most of a net's are like backdrop.
    """
    net = np.flatnonzero(meshes)
    taken = like[net]
    if min(taken.sum(), (~taken).sum()) < PATTERN or taken.mean() < MOST:
        return like
    from scipy.spatial import KDTree  # not at start-up: nets are rare

    places, means, room = _centres(labels)[net], means[:, net], room[:, net]
    for _ in range(ACROSS):
        _, beside = KDTree(places[taken]).query(places, BESIDE)
        away = np.abs(means - means[:, taken][:, beside].mean(axis=-1))
        taken |= (away < room).all(axis=0) & (np.abs(means[0]) < OPEN)
    whole = like.copy()
    whole[net] = taken
    return whole


def _centres(labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Find the mean place (K, 2) of each number."""
    area = np.maximum(np.bincount(labels.ravel()), 1)
    places = np.indices(labels.shape).reshape(2, -1)
    return np.stack([np.bincount(labels.ravel(), place) / area for place in places], axis=-1)


def _wander(surface: NDArray[np.float32], sure: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure, shape (3,), how far the backdrop strays from its own coarse course: mottle, folds, a vignette."""
    few, known = surface[:, ::COARSE, ::COARSE], sure[::COARSE, ::COARSE]
    course, _ = smooth_known(few, known, COURSE)
    away: NDArray[np.float32] = (few - course)[:, known]
    return np.sqrt((away**2).mean(axis=1)) if away.size else np.zeros(3, np.float32)


def _sharp_rim(
    distance: NDArray[np.float32], labels: NDArray[np.int32], backdrop: NDArray[np.bool_], count: int
) -> NDArray[np.bool_]:
    """Tell the regions whose surroundings, 3 to 5 pixels out, are mostly far from the backdrop's colour."""
    around = rims(labels, 2, 5)
    owner = np.where(backdrop | (distance < NEAR[0]), 0, around)[around > 0]
    near = np.bincount(owner, distance[around > 0] < RIM_NEAR, count + 1)
    sharp: NDArray[np.bool_] = near <= SOFT_RIM * np.bincount(owner, minlength=count + 1)
    return sharp


def _spread(plane: NDArray[np.float32], sure: NDArray[np.bool_]) -> float:
    """Robust standard deviation on sure backdrop, at least 0.6 levels."""
    values = plane[::FEWER, ::FEWER][sure[::FEWER, ::FEWER]]
    return max(0.6, 1.4826 * float(np.median(np.abs(values)))) if values.size else 0.6
