"""The cut-out algorithm on one screen: which steps, in which order."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgwatch.segment.averaged import averaged, touched
from bgwatch.segment.band import matte_band
from bgwatch.segment.blend import blend_alpha
from bgwatch.segment.border import border_sides
from bgwatch.segment.cluster import colour_clusters
from bgwatch.segment.confidence import found_alpha, judge
from bgwatch.segment.connected import connected_backdrop
from bgwatch.segment.depth import depth_from
from bgwatch.segment.enlarge import enlarged, repeated
from bgwatch.segment.evidence import evidence
from bgwatch.segment.familiar import familiar_colours
from bgwatch.segment.foreground import nearby_foreground
from bgwatch.segment.holes import enclosed_backdrop
from bgwatch.segment.inner import inner_subject
from bgwatch.segment.kmeans import same_cluster
from bgwatch.segment.leftover import plain_leftover
from bgwatch.segment.light import remaining_light
from bgwatch.segment.named import named_seeds
from bgwatch.segment.noise import noise_level
from bgwatch.segment.opaque import near_backdrop, opaque_core
from bgwatch.segment.palette import removed_colours
from bgwatch.segment.parted import parted_surface
from bgwatch.segment.pixels import Pixels, clear, eight_bits, straight_rgba
from bgwatch.segment.reduce import Look, look_at
from bgwatch.segment.seam import straight_seam
from bgwatch.segment.shadow import cast_shadow
from bgwatch.segment.surface import backdrop_surface
from bgwatch.segment.threshold import close_to
from bgwatch.segment.veil import lay_shadow
from bgwatch.segment.vote import border_vote
from bgwatch.segment.ycc import ycc
from bgwatch.settings import Segmentation, segmentation

CLUSTERS = 8
SHADOW_ROUNDS, GROWN = 4, 1.02


@dataclass(frozen=True)
class Report:
    """What was found on the way: the evidence behind a confidence.

    Attributes
    ----------
    method : str
        The method that ran.
    backdrop : tuple of str
        Mean colours of the clusters that were removed, as ``#rrggbb``, the most common first.
    border_share : float
        Share of the border that was taken for backdrop, in [0, 1].
    noise : float
        Standard deviation of the backdrop's noise at the border, in levels 0..255.
    holes_opened, holes_kept : int
        Enclosed regions of a backdrop colour that the method ``auto`` made transparent, or left to the subject.
    reasons : tuple of str
        What speaks against the result, in words; empty when nothing does.
    """

    method: str
    backdrop: tuple[str, ...]
    border_share: float
    noise: float
    holes_opened: int
    holes_kept: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Cutout:
    """A picture without its background.

    Attributes
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        Straight alpha, in the dtype of the input; colour 0 where alpha is 0.
    confidence : float
        How sure it is that this was a plain backdrop, in [0, 1].
    report : Report
        The evidence.
    """

    rgba: Pixels
    confidence: float
    report: Report

    @cached_property
    def alpha(self) -> NDArray[np.float32]:
        """Alpha as float32 in [0, 1], shape (H, W)."""
        return self.rgba[..., 3].astype(np.float32) / np.float32(np.iinfo(self.rgba.dtype).max)


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
    wanted = segmentation({"method": method, **options})
    rgba = straight_rgba(image)
    look = look_at(eight_bits(rgba))
    few, visible = ycc(look.small), look.small[..., 3] > 0
    sides = border_sides(visible)
    labels = colour_clusters(few, CLUSTERS, wanted.seed)
    colour = _named(wanted, rgba)
    seeds = border_vote(few, labels, sides) if colour is None else named_seeds(few, ycc(colour), sides)
    noise = noise_level(eight_bits(rgba), look.scale, seeds)
    light = np.ones(look.work.shape[:2], np.float32)
    if method == "auto":
        opened, kept, light = _auto(rgba, look, few, seeds, sides, wanted)
    else:
        opened, kept = _article(rgba, wanted)
    alpha = found_alpha(look.small, look_at(eight_bits(rgba)).small)
    lit = few / averaged(light, look.ratio)
    confidence, border_share, reasons = judge(lit, visible, alpha, sides, noise, look.scale)
    removed = removed_colours(look.small, labels, alpha)
    if wanted.shadow == "keep":
        lay_shadow(rgba, look.cell, light, look.work[..., 3])
    return Cutout(rgba, confidence, Report(method, removed, border_share, noise, opened, kept, reasons))


def _auto(
    rgba: Pixels,
    look: Look,
    few: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    sides: NDArray[np.bool_],
    wanted: Segmentation,
) -> tuple[int, int, NDArray[np.float32]]:
    """Cut out in place, count the holes opened and kept, and measure what a shadow leaves of the light."""
    if not seeds.any():
        return 0, 0, np.ones(look.work.shape[:2], np.float32)
    colours, gone = ycc(look.work), look.work[..., 3] == 0
    surface, sure, shadow = _lit_backdrop(colours, few, seeds, sides, look.ratio, wanted)
    light, surface = remaining_light(colours, surface, sure, shadow)
    residual = colours - surface
    distances = evidence(residual, sure)
    backdrop = connected_backdrop(distances, sure, gone)
    holes, doubtful, opened, kept = enclosed_backdrop(residual, distances, sure, backdrop, wanted.holes)
    backdrop |= holes
    depth = depth_from(backdrop)
    deep, thin = inner_subject(residual, backdrop, depth)
    zone = near_backdrop(backdrop, depth)
    near = nearby_foreground(colours, deep | thin, zone)
    rough = blend_alpha(colours[:, zone], surface[:, zone], near, depth[zone])
    familiar = familiar_colours(colours, ~(backdrop | zone | gone), zone)
    core = opaque_core(rough, familiar, zone, backdrop, depth, thin, doubtful)
    unknown = ~(backdrop | core | gone)
    near = nearby_foreground(colours, core, unknown)
    matte_band(rgba, look.cell, unknown, surface[:, unknown], near, depth[unknown])
    clear(rgba, look.cell, backdrop)
    return opened, kept, light


def _lit_backdrop(
    colours: NDArray[np.float32],
    few: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    sides: NDArray[np.bool_],
    ratio: int,
    wanted: Segmentation,
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Fit the backdrop in full light on the working copy, again without the shadow as long as more of it is found."""
    shadow = np.zeros(colours.shape[1:], bool)
    for _ in range(SHADOW_ROUNDS):
        surface, sure = _backdrop(colours, few, seeds, sides, touched(shadow, ratio), ratio, wanted)
        grown = cast_shadow(colours, surface, sure | shadow) | shadow
        if grown.sum() <= GROWN * shadow.sum() or not (seeds & ~touched(grown, ratio)).any():
            break
        shadow = grown
    return surface, sure, shadow


def _backdrop(
    colours: NDArray[np.float32],
    few: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    sides: NDArray[np.bool_],
    shadow: NDArray[np.bool_],
    ratio: int,
    wanted: Segmentation,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Fit the backdrop beside a shadow on the working copy, with a second part where a seam proves it."""
    surface, sure = backdrop_surface(few, seeds & ~shadow, (np.any(sides, axis=0) | seeds) & ~shadow, shadow)
    others = plain_leftover(few, sides & ~shadow, sure) & (wanted.backdrop == "auto")
    shape = colours.shape[1:]
    large = enlarged(surface, ratio, shape)
    if others.any():
        second, also = backdrop_surface(few, others, others, shadow)
        beyond = straight_seam(sure, also, few - surface)
        if beyond is not None:
            sure = sure | also
            second, beyond = enlarged(second, ratio, shape), enlarged(beyond[None], ratio, shape)[0]
            large = parted_surface(colours, large, second, beyond)
    return large, repeated(sure, ratio, shape)


def _article(rgba: Pixels, wanted: Segmentation) -> tuple[int, int]:
    """Cut out in place by one of the article's methods, which know no holes."""
    rgb, colour = eight_bits(rgba)[..., :3], _named(wanted, rgba)
    if wanted.method == "threshold":
        background = close_to(rgb, rgb[0, 0] if colour is None else colour, wanted.tolerance)
    else:
        background = same_cluster(rgb, colour, wanted.clusters, wanted.n_init, wanted.seed)
    clear(rgba, 1, background)
    return 0, 0


def _named(wanted: Segmentation, rgba: Pixels) -> NDArray[np.uint8] | None:
    """Give the colour that the user names, shape (3,), or None."""
    if wanted.backdrop.startswith("#"):
        return np.frombuffer(bytes.fromhex(wanted.backdrop[1:]), np.uint8)
    return eight_bits(rgba[0, 0, :3]) if wanted.backdrop == "first-pixel" else None
