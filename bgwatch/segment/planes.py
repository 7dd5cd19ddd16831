"""Arithmetic on planes and on the colour vectors they hold; spelled out, since sums over a short axis are slow."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32] | Sequence[NDArray[np.float32]]


def picked(planes: NDArray[np.float32], places: NDArray[np.intp]) -> NDArray[np.float32]:
    """Take the values of planes (C, H, W) at N indices of a flattened plane, shape (C, N)."""
    return planes.reshape(len(planes), -1).take(places, axis=1)


def dot(first: Planes, second: Planes) -> NDArray[np.float32]:
    """Multiply the vectors of planes (C, ...) by those of others, shape (...)."""
    product: NDArray[np.float32] = first[0] * second[0]
    for one, other in zip(first[1:], second[1:], strict=True):
        product += one * other
    return product


def length(planes: Planes) -> NDArray[np.float32]:
    """Measure the vectors that planes (C, ...) hold, shape (...)."""
    squared = dot(planes, planes)
    return np.sqrt(squared, out=squared)


def rising(value: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Map a value to 0 up to low, to 1 from high on, and linearly between."""
    share = (value - np.float32(low)) * np.float32(1 / (high - low))
    return np.clip(share, 0, 1, out=share)
