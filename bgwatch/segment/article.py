"""The two methods of the article, in place."""

from bgwatch.segment.kmeans import same_cluster
from bgwatch.segment.named import named_colour
from bgwatch.segment.pixels import Pixels, clear, eight_bits
from bgwatch.segment.threshold import close_to
from bgwatch.settings import Segmentation


def article(rgba: Pixels, wanted: Segmentation) -> None:
    """Make transparent what a threshold or k-means calls background; neither knows holes, edges or doubt.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        The picture.
    wanted : Segmentation
        Its method is ``threshold`` or ``kmeans``.
    """
    rgb, colour = eight_bits(rgba)[..., :3], named_colour(wanted, rgba)
    if wanted.method == "threshold":
        background = close_to(rgb, rgb[0, 0] if colour is None else colour, wanted.tolerance)
    else:
        background = same_cluster(rgb, colour, wanted.clusters, wanted.n_init, wanted.seed)
    clear(rgba, 1, background)
