"""The cut-out algorithm on one screen: which steps, in which order."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgwatch.segment.article import article
from bgwatch.segment.averaged import averaged
from bgwatch.segment.backdrop import whole_backdrop
from bgwatch.segment.band import matte_band
from bgwatch.segment.border import border_sides
from bgwatch.segment.cluster import colour_clusters
from bgwatch.segment.confidence import found_alpha, judge
from bgwatch.segment.connected import connected_backdrop
from bgwatch.segment.evidence import evidence
from bgwatch.segment.foreground import nearby_foreground
from bgwatch.segment.holes import enclosed_backdrop
from bgwatch.segment.laps import Laps
from bgwatch.segment.named import named_colour, named_seeds
from bgwatch.segment.noise import noise_level
from bgwatch.segment.palette import backdrop_palette
from bgwatch.segment.pixels import Pixels, cells_of, clear, eight_bits, straight_rgba
from bgwatch.segment.planes import picked
from bgwatch.segment.reduce import Look, look_at
from bgwatch.segment.regions import surrounding
from bgwatch.segment.result import Cutout, Report
from bgwatch.segment.subject import opaque_subject
from bgwatch.segment.veil import lay_shadow
from bgwatch.segment.vote import border_vote
from bgwatch.segment.ycc import ycc
from bgwatch.settings import Segmentation

CLUSTERS = 8
RIM = 1.5  # pixels from backdrop; even an opaque cell may hold softer pixels there
MARGIN = 8  # of backdrop around the subject, for what looks at a neighbourhood


def remove_background(image: Image.Image | Pixels, method: str = "auto", **options: Any) -> Cutout:
    """Take the background out of a picture.

    Parameters
    ----------
    image : PIL image or ndarray of uint8 or uint16, shape (H, W), (H, W, 3) or (H, W, 4)
        The picture; it is not changed. Alpha is straight.
    method : {"auto", "kmeans", "threshold"}
        How the background is found.
    **options
        Any other field of `bgwatch.settings.Segmentation`.

    Returns
    -------
    Cutout
        Its alpha is the input's alpha times the alpha found.

    Raises
    ------
    SettingsError
        When an option is unknown or out of range.
    PictureError
        When the image has a shape or type that is no picture.
    """
    laps = Laps()
    wanted = Segmentation.of({"method": method, **options})
    rgba = straight_rgba(image)
    look = look_at(eight_bits(rgba))
    few, visible = ycc(look.small), look.small[..., 3] > 0
    sides = border_sides(visible)
    laps("look")
    labels = colour_clusters(few, CLUSTERS, wanted.seed)
    laps("clusters")
    colour = named_colour(wanted, rgba)
    seeds = border_vote(few, labels, sides) if colour is None else named_seeds(few, ycc(colour), sides)
    noise = noise_level(eight_bits(rgba), look.scale, seeds)
    laps("vote")
    found = _Found(visible.astype(np.float32))
    if method == "auto" and seeds.any():
        found = _auto(rgba, look, few, seeds, visible, wanted, laps)
    elif method != "auto":
        article(rgba, wanted)
        found = _Found(found_alpha(look.small, look_at(eight_bits(rgba)).small))
        laps(method)
    lit = few if found.light is None else few / averaged(found.light, look.ratio)
    confidence, border_share, reasons = judge(
        lit, visible, found.alpha, sides, noise, look.scale, found.suspect, found.foot
    )
    palette = backdrop_palette(look.small, labels, found.alpha)
    laps("confidence")
    if found.light is not None and wanted.shadow == "keep":
        lay_shadow(rgba, look.cell, found.light, look.work[..., 3])
        laps("shadow")
    holes = found.opened, found.kept
    return Cutout(rgba, confidence, Report(method, *palette, border_share, noise, *holes, reasons, laps.taken))


class _Found(NamedTuple):
    """Alpha on the small copy; enclosed regions; if there are any, a shadow's light and the foot of a low table."""

    alpha: NDArray[np.float32]
    opened: int = 0
    kept: int = 0
    suspect: float = 0.0
    light: NDArray[np.float32] | None = None
    foot: NDArray[np.bool_] | None = None


def _auto(
    rgba: Pixels,
    look: Look,
    few: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    visible: NDArray[np.bool_],
    wanted: Segmentation,
    laps: Laps,
) -> _Found:
    """Cut out in place by colour clusters, surfaces and a band solved for alpha."""
    colours, gone = ycc(look.work), look.work[..., 3] == 0
    surface, sure, light, foot = whole_backdrop(colours, few, seeds, visible, look.ratio, wanted.backdrop == "auto")
    laps("surface")
    residual = colours - surface
    distances = evidence(residual, sure)
    backdrop = connected_backdrop(distances, sure, gone)
    laps("backdrop")
    holes = enclosed_backdrop(residual, surface, distances, sure, backdrop, wanted.holes)
    backdrop |= holes.clear
    laps("holes")
    alpha, box = np.zeros(gone.shape, np.float32), surrounding(~backdrop, MARGIN)
    colours, surface, distance = (
        np.ascontiguousarray(planes[(..., *box)]) for planes in (colours, surface, distances[0])
    )
    outside, doubtful, gone = (mask[box] for mask in (backdrop, holes.doubtful, gone))
    core, depth = opaque_subject(colours, surface, distance, outside, doubtful, gone, wanted.holes, max(alpha.shape))
    laps("subject")
    unknown = np.flatnonzero(~(outside | gone | (core & (depth > RIM))))
    behind = picked(surface, unknown)
    near, places = nearby_foreground(colours, core, unknown), np.divmod(unknown, core.shape[1])
    soft = matte_band(cells_of(rgba, look.cell, box), look.cell, places, behind, near, depth.take(unknown))
    clear(rgba, look.cell, backdrop)
    laps("matte")
    alpha[box] = core
    alpha[box].flat[unknown] = soft
    suspect = holes.suspect if wanted.holes == "auto" else 0.0
    return _Found(averaged(alpha, look.ratio), holes.opened, holes.kept, suspect, light, foot)
