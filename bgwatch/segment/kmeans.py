"""The article's second method: k-means on RGB; the first pixel's cluster is background."""

import warnings

import numpy as np
from numpy.typing import NDArray

# scikit-learn assigns labels in chunks of 256 samples; strips of whole chunks repeat its arithmetic bit for bit.
STRIP = 256 * 4096


def same_cluster(
    rgb: NDArray[np.uint8], colour: NDArray[np.uint8] | None, clusters: int, n_init: int, seed: int
) -> NDArray[np.bool_]:
    """Find the pixels that k-means puts into the cluster of one colour.

    The labels are those of ``KMeans(clusters, n_init=n_init, random_state=seed).fit(X).predict(X)`` on all
    pixels X (N, 3) as float64, which is what the article runs:

    - The fit is scikit-learn's own, on every pixel in picture order: k-means++ draws samples by their position,
      and its sums depend on their order, so a fit on distinct or sampled colours would be another fit.
      It may work in place (``copy_x=False``), since the bytes it came from are still there.
    - It runs on one OpenMP thread, because with several the order of the sums, and so the last bits of the
      centres, change from run to run.
    - The prediction goes strip by strip, so no second float64 copy of the picture is ever made.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
        The picture.
    colour : ndarray of uint8, shape (3,), optional
        A background colour; None takes the first pixel's, as the article does.
    clusters, n_init, seed : int
        As in scikit-learn; ``clusters`` is lowered to the number of pixels.

    Returns
    -------
    ndarray of bool, shape (H, W)
        True where the pixel is background.

    References
    ----------
    The article "Clustering and Image Segmentation", 2019; S. Lloyd, "Least squares quantization in PCM", 1982;
    D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    pixels = rgb.reshape(-1, 3)
    model = KMeans(min(clusters, len(pixels)), n_init=n_init, random_state=seed, copy_x=False)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer colours than clusters: the labels are still right
        model.fit(pixels.astype(np.float64))
        labels = np.empty(len(pixels), np.uint8)
        for start in range(0, len(pixels), STRIP):
            labels[start : start + STRIP] = model.predict(pixels[start : start + STRIP].astype(np.float64))
        wanted = labels[0] if colour is None else model.predict(colour[None].astype(np.float64))[0]
    background: NDArray[np.bool_] = (labels == wanted).reshape(rgb.shape[:2])
    return background
