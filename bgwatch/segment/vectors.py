"""Products and lengths of the colour vectors that planes hold; spelled out, since sums over a short axis are slow."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32] | Sequence[NDArray[np.float32]]


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
