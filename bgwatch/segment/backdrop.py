"""The backdrop as a whole: in full light, in two parts, and with the shadow that lies on it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.averaged import touched
from bgwatch.segment.border import border_foot, border_sides
from bgwatch.segment.enlarge import enlarged, repeated
from bgwatch.segment.islands import backdrop_islands
from bgwatch.segment.leftover import plain_leftover
from bgwatch.segment.light import remaining_light
from bgwatch.segment.parted import parted_surface
from bgwatch.segment.seam import straight_seam
from bgwatch.segment.shadow import cast_shadow
from bgwatch.segment.surface import bent_surface, sure_backdrop

ROUNDS, GROWN = 4, 1.02
ONE_AND_THE_SAME = 0.5


class Backdrop(NamedTuple):
    """What is expected behind the subject, on the working copy.

    Attributes
    ----------
    surface : ndarray of float32, shape (3, h, w)
        Expected colour everywhere, planes from `ycc`, darkened where a shadow lies.
    sure : ndarray of bool, shape (h, w)
        Pixels that are lit backdrop beyond doubt.
    light : ndarray of float32, shape (h, w), or None
        The factor by which a shadow darkens the backdrop; None without a shadow.
    foot : ndarray of bool, shape (H, W), or None
        Pixels of `border_foot` from which a table was found; None without such a low one.
    """

    surface: NDArray[np.float32]
    sure: NDArray[np.bool_]
    light: NDArray[np.float32] | None
    foot: NDArray[np.bool_] | None


def whole_backdrop(
    colours: NDArray[np.float32],
    few: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    visible: NDArray[np.bool_],
    ratio: int,
    two_parts: bool,
) -> Backdrop:
    """Fit the backdrop, again without the shadow as long as more of it is found.

    Parameters
    ----------
    colours, few : ndarray of float32, shape (3, h, w) and (3, H, W)
        Planes from `ycc` of the working copy and of the small one.
    seeds : ndarray of bool, shape (H, W)
        Border pixels that are backdrop; at least one.
    visible : ndarray of bool, shape (H, W)
        False where the input was transparent already.
    ratio : int
        Side of the small copy's cells, in pixels of the working copy.
    two_parts : bool
        Whether a second colour at the border may be backdrop too.

    Returns
    -------
    Backdrop
    """
    shadow = np.zeros(colours.shape[1:], bool)
    for _ in range(ROUNDS):
        surface, sure, low = _in_full_light(colours, few, seeds, visible, touched(shadow, ratio), ratio, two_parts)
        grown = cast_shadow(colours, surface, sure | shadow) | shadow
        if grown.sum() <= GROWN * shadow.sum() or not (seeds & ~touched(grown, ratio)).any():
            break
        shadow = grown
    light, surface = remaining_light(colours, surface, sure, shadow)
    return Backdrop(surface, sure, light if shadow.any() else None, low)


def _in_full_light(
    colours: NDArray[np.float32],
    few: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    visible: NDArray[np.bool_],
    shadow: NDArray[np.bool_],
    ratio: int,
    two_parts: bool,
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_] | None]:
    """Fit the backdrop beside a shadow on the working copy, with a second part where a seam proves it.

    The third result is where at the foot that part begins, if it does.
    """
    shape, sides, foot = colours.shape[1:], border_sides(visible) & ~shadow, border_foot(visible) & ~shadow
    seeds, strip, second, beyond = seeds & ~shadow, np.any(sides, axis=0), None, None
    course, sure = sure_backdrop(few, seeds, strip | seeds, shadow)
    beside = plain_leftover(few, sides, sure) & two_parts
    others = beside if beside.any() or not two_parts else _low_table(few, foot, sure)
    if others.any():
        second, also = sure_backdrop(few, others, others, shadow)
        if beside.any() and (sure & also).sum() > ONE_AND_THE_SAME * sure.sum():
            seeds |= others  # two lights that hair cuts apart at the border
            course, sure = sure_backdrop(few, seeds, strip | seeds, shadow)
            second = None
    first = _bent(few, course, sure)
    large = enlarged(first, ratio, shape)
    if second is not None:
        beyond = straight_seam(sure, also, few - first)
        if beyond is not None:
            beside_it = enlarged(_bent(few, second, also), ratio, shape)
            large = parted_surface(colours, large, beside_it, enlarged(beyond[None], ratio, shape)[0])
            sure = sure | also
    low = others if beyond is not None and not beside.any() else None
    return large, repeated(sure, ratio, shape), low


def _low_table(few: NDArray[np.float32], foot: NDArray[np.bool_], sure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find plain pixels at the foot, if they reach one of the sides there: a table does, a shirt mostly not."""
    left = plain_leftover(few, foot, sure)
    return left if (left & np.any(foot[1:], axis=0)).any() else np.zeros_like(left)


def _bent(few: NDArray[np.float32], course: NDArray[np.float32], sure: NDArray[np.bool_]) -> NDArray[np.float32]:
    return bent_surface(few, course, sure | backdrop_islands(few, course, sure))
