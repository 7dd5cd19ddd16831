"""The subject as a whole: where it is opaque, and how deep."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.blend import blend_alpha
from bgwatch.segment.depth import depth_from
from bgwatch.segment.familiar import colour_bins, familiar_colours
from bgwatch.segment.foreground import nearby_foreground
from bgwatch.segment.gaps import see_through
from bgwatch.segment.inner import inner_subject
from bgwatch.segment.opaque import near_backdrop, opaque_core
from bgwatch.segment.own import even_colours, own_colours
from bgwatch.segment.planes import length, picked
from bgwatch.segment.regions import filled
from bgwatch.segment.smoothing import one_sided

ROUNDS = 2
AROUND = 11


def opaque_subject(
    colours: NDArray[np.float32],
    surface: NDArray[np.float32],
    distance: NDArray[np.float32],
    clear: NDArray[np.bool_],
    doubtful: NDArray[np.bool_],
    gone: NDArray[np.bool_],
    holes: Literal["auto", "open", "fill"],
    long_side: int,
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Find where the subject is opaque: first from its inside, then twice from what was found.

    Parameters
    ----------
    colours, surface : ndarray of float32, shape (3, H, W)
        The picture and the backdrop expected there, planes from `ycc`.
    distance : ndarray of float32, shape (H, W)
        The finest of `evidence`.
    clear : ndarray of bool, shape (H, W)
        Found backdrop.
    doubtful : ndarray of bool, shape (H, W)
        From `Holes`.
    gone : ndarray of bool, shape (H, W)
        Pixels that were transparent already.
    holes : {"auto", "open", "fill"}
        What the user wants of enclosed backdrop.
    long_side : int
        Of the whole picture, in pixels; it may be cut to the subject with a margin of 8 pixels.

    Returns
    -------
    core : ndarray of bool, shape (H, W)
        Opaque pixels; what is neither core nor backdrop is unknown.
    depth : ndarray of float32, shape (H, W)
        Distance in pixels from backdrop, or from what is seen through.
    """
    residual, depth = colours - surface, depth_from(clear)
    strength, bins = length(residual), colour_bins(colours)
    core = np.logical_or(*inner_subject(strength, clear, depth, long_side))
    own, aside = even_colours(residual, strength), one_sided(residual, AROUND)
    for _ in range(ROUNDS):
        zone = near_backdrop(clear, depth, long_side)
        places = np.flatnonzero(zone)
        near = nearby_foreground(colours, core, places)
        alpha, miss = blend_alpha(picked(colours, places), picked(surface, places), near, depth.take(places))
        rough, strange = filled(alpha, places, zone.shape, 1), filled(miss, places, zone.shape, 0)
        familiar = filled(familiar_colours(bins, ~(clear | zone | gone), places), places, zone.shape, 1)
        clear = clear | see_through(aside, distance, rough, strange, familiar, holes)
        depth = depth_from(clear)
        _, thin = inner_subject(strength, clear, depth, long_side)
        own |= own_colours(strength, strange)
        core = opaque_core(rough, familiar, clear, depth, thin | own, doubtful, long_side)
    return core, depth
