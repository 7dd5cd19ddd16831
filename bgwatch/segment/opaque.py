"""Where the subject is opaque, judged from a first rough matte."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import CROSS, eroded
from bgwatch.segment.planes import rising
from bgwatch.segment.regions import in_proportion, reachable

FARTHEST = 24.0
RIM = 1.5
GAP = 12.0
THIN = 0.88
THINNER = 0.8
STRANGE = (0.2, 0.6)
DEEPER = (3.0, 9.0)


def near_backdrop(backdrop: NDArray[np.bool_], depth: NDArray[np.float32], long_side: int) -> NDArray[np.bool_]:
    """Mark the subject's pixels (H, W) that lie near enough to backdrop to be see-through."""
    return ~backdrop & (depth <= in_proportion(FARTHEST, long_side))


def opaque_core(
    rough: NDArray[np.float32],
    familiar: NDArray[np.float32],
    clear: NDArray[np.bool_],
    depth: NDArray[np.float32],
    thin: NDArray[np.bool_],
    doubtful: NDArray[np.bool_],
    long_side: int,
) -> NDArray[np.bool_]:
    """Find the pixels that are subject and nothing else.

    What a rough matte calls see-through, and hangs together with the backdrop through see-through pixels, is
    unknown. The rest is opaque, whatever its colour.

    Parameters
    ----------
    rough : ndarray of float32, shape (H, W), in [0, 1]
        Rough alpha; 1 where nothing is known.
    familiar : ndarray of float32, shape (H, W), in [0, 1]
        How much the colours are those of the subject's inside, from `familiar_colours`; such pixels must be all the
        more see-through, the deeper they lie.
    clear : ndarray of bool, shape (H, W)
        Found backdrop, and what is seen through.
    depth : ndarray of float32, shape (H, W)
        Distance from ``clear`` in pixels.
    thin : ndarray of bool, shape (H, W)
        Opaque pixels of thin parts, from `inner_subject`.
    doubtful : ndarray of bool, shape (H, W)
        Small enclosed spots of a backdrop colour; those near backdrop may be gaps between hairs.
    long_side : int
        Of the whole picture, in pixels.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Opaque pixels.
    """
    doubt = rising(familiar, *STRANGE) * rising(depth, *DEEPER)
    low = (rough < THIN - np.float32(THINNER) * doubt) | (depth <= RIM)
    low = reachable(low | clear, clear | (doubtful & (depth <= in_proportion(GAP, long_side))))
    core: NDArray[np.bool_] = eroded(~low, CROSS) | ~near_backdrop(clear, depth, long_side)
    return (core | thin) & ~clear
