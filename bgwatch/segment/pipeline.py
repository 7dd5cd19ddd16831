"""The cut-out algorithm on one screen: which steps, in which order."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

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
from bgwatch.segment.gaps import see_through
from bgwatch.segment.holes import enclosed_backdrop
from bgwatch.segment.inner import inner_subject
from bgwatch.segment.kmeans import same_cluster
from bgwatch.segment.laps import Lap, Laps
from bgwatch.segment.leftover import plain_leftover
from bgwatch.segment.light import remaining_light
from bgwatch.segment.named import named_seeds
from bgwatch.segment.noise import noise_level
from bgwatch.segment.opaque import near_backdrop, opaque_core
from bgwatch.segment.own import even_colours, own_colours
from bgwatch.segment.palette import BackdropColour, backdrop_palette
from bgwatch.segment.parted import parted_surface
from bgwatch.segment.pixels import Pixels, clear, eight_bits, straight_rgba
from bgwatch.segment.reduce import Look, look_at
from bgwatch.segment.regions import filled
from bgwatch.segment.seam import straight_seam
from bgwatch.segment.shadow import cast_shadow
from bgwatch.segment.surface import backdrop_surface
from bgwatch.segment.threshold import close_to
from bgwatch.segment.veil import lay_shadow
from bgwatch.segment.vote import border_vote
from bgwatch.segment.ycc import ycc
from bgwatch.settings import Segmentation, segmentation

CLUSTERS = 8
ROUNDS = 2
SHADOW_ROUNDS, GROWN = 4, 1.02


@dataclass(frozen=True)
class Report:
    """What was found on the way: the evidence behind a confidence.

    Attributes
    ----------
    method : str
        The method that ran.
    backdrop : tuple of BackdropColour
        Each colour that was removed, as ``colour`` (``#rrggbb``) and ``share`` (of the backdrop, in [0, 1]; they add
        up to 1), the most common first.
    clusters : int
        Colour clusters that a small copy of the picture fell into, in 0..8, whatever the method; those of the
        method ``kmeans`` are its own.
    border_share : float
        Share of the border that was taken for backdrop, in [0, 1].
    noise : float
        Standard deviation of the backdrop's noise at the border, in levels 0..255.
    holes_opened, holes_kept : int
        Enclosed regions of a backdrop colour that the method ``auto`` made transparent, or left to the subject.
    reasons : tuple of str
        What speaks against the result, in words; empty when nothing does.
    steps : tuple of Lap
        The time of the segmentation as ``name`` and ``seconds`` of each step, in the order they ran. Two reports
        that differ in nothing else are equal.
    """

    method: str
    backdrop: tuple[BackdropColour, ...]
    clusters: int
    border_share: float
    noise: float
    holes_opened: int
    holes_kept: int
    reasons: tuple[str, ...]
    steps: tuple[Lap, ...] = field(compare=False)


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
    laps = Laps()
    wanted = segmentation({"method": method, **options})
    rgba = straight_rgba(image)
    look = look_at(eight_bits(rgba))
    few, visible = ycc(look.small), look.small[..., 3] > 0
    sides = border_sides(visible)
    laps("look")
    labels = colour_clusters(few, CLUSTERS, wanted.seed)
    laps("clusters")
    colour = _named(wanted, rgba)
    seeds = border_vote(few, labels, sides) if colour is None else named_seeds(few, ycc(colour), sides)
    noise = noise_level(eight_bits(rgba), look.scale, seeds)
    laps("vote")
    found = _auto(rgba, look, few, seeds, sides, wanted, laps) if method == "auto" else _article(rgba, wanted, laps)
    alpha = found_alpha(look.small, look_at(eight_bits(rgba)).small)
    lit = few if found.light is None else few / averaged(found.light, look.ratio)
    confidence, border_share, reasons = judge(lit, visible, alpha, sides, noise, look.scale, found.suspect)
    palette = backdrop_palette(look.small, labels, alpha)
    laps("confidence")
    if found.light is not None and wanted.shadow == "keep":
        lay_shadow(rgba, look.cell, found.light, look.work[..., 3])
        laps("shadow")
    holes = found.opened, found.kept
    return Cutout(rgba, confidence, Report(method, *palette, border_share, noise, *holes, reasons, laps.taken))


class _Found(NamedTuple):
    """Enclosed regions, from `Holes`, and what a cast shadow leaves of the light, shape (h, w), if there is one."""

    opened: int = 0
    kept: int = 0
    suspect: float = 0.0
    light: NDArray[np.float32] | None = None


def _auto(
    rgba: Pixels,
    look: Look,
    few: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    sides: NDArray[np.bool_],
    wanted: Segmentation,
    laps: Laps,
) -> _Found:
    """Cut out in place by colour clusters, surfaces and a band solved for alpha."""
    if not seeds.any():
        return _Found()
    colours, gone = ycc(look.work), look.work[..., 3] == 0
    surface, sure, shadow = _lit_backdrop(colours, few, seeds, sides, look.ratio, wanted)
    light, surface = remaining_light(colours, surface, sure, shadow)
    laps("surface")
    residual = colours - surface
    distances = evidence(residual, sure)
    backdrop = connected_backdrop(distances, sure, gone)
    laps("backdrop")
    holes = enclosed_backdrop(residual, surface, distances, sure, backdrop, wanted.holes)
    backdrop |= holes.clear
    laps("holes")
    core, depth = _subject(colours, surface, distances[0], backdrop, holes.doubtful, gone, wanted.holes)
    laps("subject")
    unknown = ~(backdrop | core | gone)
    near = nearby_foreground(colours, core, unknown)
    matte_band(rgba, look.cell, unknown, surface[:, unknown], near, depth[unknown])
    clear(rgba, look.cell, backdrop)
    laps("matte")
    suspect = holes.suspect if wanted.holes == "auto" else 0.0
    return _Found(holes.opened, holes.kept, suspect, light if shadow.any() else None)


def _subject(
    colours: NDArray[np.float32],
    surface: NDArray[np.float32],
    distance: NDArray[np.float32],
    backdrop: NDArray[np.bool_],
    doubtful: NDArray[np.bool_],
    gone: NDArray[np.bool_],
    holes: Literal["auto", "open", "fill"],
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Find where the subject is opaque, twice, from inside and from what was found; and each pixel's depth in it."""
    residual, clear, depth = colours - surface, backdrop, depth_from(backdrop)
    core, own = np.logical_or(*inner_subject(residual, clear, depth)), even_colours(residual)
    for _ in range(ROUNDS):
        zone = near_backdrop(clear, depth)
        near = nearby_foreground(colours, core, zone)
        alpha, miss = blend_alpha(colours[:, zone], surface[:, zone], near, depth[zone])
        rough, strange = filled(alpha, zone, 1), filled(miss, zone, 0)
        familiar = filled(familiar_colours(colours, ~(clear | zone | gone), zone), zone, 1)
        clear = clear | see_through(residual, distance, rough, strange, familiar, holes)
        depth = depth_from(clear)
        _, thin = inner_subject(residual, clear, depth)
        own |= own_colours(residual, strange)
        core = opaque_core(rough, familiar, clear, depth, thin | own, doubtful)
    return core, depth


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
        if (sure & also).sum() > 0.5 * sure.sum():
            seeds = (seeds | others) & ~shadow
            surface, sure = backdrop_surface(few, seeds, (np.any(sides, axis=0) | seeds) & ~shadow, shadow)
            return enlarged(surface, ratio, shape), repeated(sure, ratio, shape)
        beyond = straight_seam(sure, also, few - surface)
        if beyond is not None:
            sure = sure | also
            second, beyond = enlarged(second, ratio, shape), enlarged(beyond[None], ratio, shape)[0]
            large = parted_surface(colours, large, second, beyond)
    return large, repeated(sure, ratio, shape)


def _article(rgba: Pixels, wanted: Segmentation, laps: Laps) -> _Found:
    """Cut out in place by one of the article's methods, which know no holes."""
    rgb, colour = eight_bits(rgba)[..., :3], _named(wanted, rgba)
    if wanted.method == "threshold":
        background = close_to(rgb, rgb[0, 0] if colour is None else colour, wanted.tolerance)
    else:
        background = same_cluster(rgb, colour, wanted.clusters, wanted.n_init, wanted.seed)
    clear(rgba, 1, background)
    laps(wanted.method)
    return _Found()


def _named(wanted: Segmentation, rgba: Pixels) -> NDArray[np.uint8] | None:
    """Give the colour that the user names, shape (3,), or None."""
    if wanted.backdrop.startswith("#"):
        return np.frombuffer(bytes.fromhex(wanted.backdrop[1:]), np.uint8)
    return eight_bits(rgba[0, 0, :3]) if wanted.backdrop == "first-pixel" else None
