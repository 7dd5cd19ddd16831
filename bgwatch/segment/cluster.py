"""Group the colours of a picture: k-means on a sample of pixels."""

import numpy as np
from numpy.typing import NDArray

SAMPLES = 4096
ROUNDS = 12


def colour_clusters(colours: NDArray[np.float32], clusters: int, seed: int) -> NDArray[np.intp]:
    """Give every pixel the number of its colour cluster.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc`.
    clusters : int
        How many clusters are wanted, at least 1.
    seed : int
        Seed of the first centres.

    Returns
    -------
    ndarray of int, shape (H, W)
        Labels in 0..clusters-1; fewer than wanted where there are fewer colours.

    References
    ----------
    S. Lloyd, "Least squares quantization in PCM", 1982;
    D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007.
    """
    pixels = colours.reshape(3, -1)
    sample = pixels[:, :: max(1, pixels.shape[1] // SAMPLES)]
    centres = _first_centres(sample, clusters, np.random.default_rng(seed))
    for _ in range(ROUNDS):
        labels = _nearest(sample, centres)
        count = np.bincount(labels, minlength=len(centres))
        sums = np.stack([np.bincount(labels, plane, len(centres)) for plane in sample], axis=-1)
        centres = np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], centres).astype(np.float32)
    return _nearest(pixels, centres).reshape(colours.shape[1:])


def _first_centres(sample: NDArray[np.float32], clusters: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw centres (K, 3), each with a chance that grows with the squared distance from those before it."""
    centres = [sample[:, rng.integers(sample.shape[1])]]
    distance = np.full(sample.shape[1], np.inf)
    while len(centres) < clusters:
        distance = np.minimum(distance, _squared(sample, centres[-1]))
        total = distance.sum()
        if total <= 0:
            break
        centres.append(sample[:, rng.choice(sample.shape[1], p=distance / total)])
    return np.stack(centres)


def _nearest(pixels: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    nearest: NDArray[np.intp] = np.stack([_squared(pixels, centre) for centre in centres]).argmin(axis=0)
    return nearest


def _squared(pixels: NDArray[np.float32], centre: NDArray[np.float32]) -> NDArray[np.float32]:
    away = pixels - centre[:, None]
    squared: NDArray[np.float32] = away[0] ** 2 + away[1] ** 2 + away[2] ** 2
    return squared
