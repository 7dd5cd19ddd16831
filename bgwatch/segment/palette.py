"""The colours that were removed, for the report."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class BackdropColour:
    """A colour of the backdrop: the mean of a cluster of which most was removed.

    Attributes
    ----------
    colour : str
        As ``#rrggbb``.
    share : float
        Share of the backdrop that has it, in [0, 1], to four decimals. The backdrop is here what was removed of
        all such clusters, so that the shares of a picture add up to 1.
    """

    colour: str
    share: float


class Palette(NamedTuple):
    """The backdrop's colours, the most common first, and how many clusters the visible pixels fell into."""

    backdrop: tuple[BackdropColour, ...]
    clusters: int


def backdrop_palette(rgba: NDArray[np.uint8], labels: NDArray[np.intp], alpha: NDArray[np.float32]) -> Palette:
    """Name the mean colour of each cluster of which most was removed, with its share.

    Parameters
    ----------
    rgba : ndarray of uint8, shape (H, W, 4)
        The picture, or a small copy.
    labels : ndarray of int, shape (H, W)
        Colour cluster of each pixel.
    alpha : ndarray of float32, shape (H, W), in [0, 1]
        The alpha found.

    Returns
    -------
    Palette
        No colours where nothing was removed, or less than half of every cluster.
    """
    visible = rgba[..., 3] > 0
    removed = visible & (alpha < 0.5)
    every = np.bincount(labels[visible])
    gone = np.bincount(labels[removed], minlength=len(every))
    mostly = np.flatnonzero((gone > 0) & (2 * gone >= every))
    ordered = mostly[np.argsort(-gone[mostly], kind="stable")]
    shares = gone[ordered] / max(1, gone[ordered].sum())
    means = [rgba[removed & (labels == label), :3].mean(axis=0) for label in ordered]
    named = zip(map(_hex, means), shares.round(4).tolist(), strict=True)
    return Palette(tuple(BackdropColour(*each) for each in named), int(np.count_nonzero(every)))


def _hex(colour: NDArray[np.floating]) -> str:
    return "#" + bytes(np.round(colour).astype(np.uint8)).hex()
