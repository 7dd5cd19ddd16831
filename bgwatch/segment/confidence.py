"""How sure it is that a plain backdrop was removed and nothing else, whatever method found the alpha."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.course import polynomial_course
from bgwatch.segment.morphology import EIGHT, dilated, eroded, highest, opened
from bgwatch.segment.regions import components, reachable
from bgwatch.segment.smoothing import carried, slope, smooth, smooth_known

GENTLE, FAINT, PLAIN = 5.0, 5.0, 2.0
STRETCH = 30
STRANGE, FAINTLY = 14.0, 18.0
ALIKE, WANDERS = 3.5, 6.0
PLAIN_INSIDE = 2.5
LOW = 0.25  # of the height
WAVE = 1 / 45  # of the long side
COURSE = (6.0, 15.0, 40.0)
LOUDEST = 8.0  # levels; more is texture, not noise
CLEAR = 0.1
NOISE_LEFT = 0.45  # of white noise in R, G and B, after a Gaussian of one pixel, as the length of a colour in ycc


class Judgement(NamedTuple):
    """A confidence and what speaks for or against it."""

    confidence: float
    border_share: float
    reasons: tuple[str, ...]


def found_alpha(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Divide the alpha of a result by that of its input, both RGBA (H, W, 4); 0 where the input had none."""
    alpha: NDArray[np.float32] = np.divide(after[..., 3], np.maximum(before[..., 3], 1), dtype=np.float32)
    return alpha


def judge(
    colours: NDArray[np.float32],
    visible: NDArray[np.bool_],
    alpha: NDArray[np.float32],
    sides: NDArray[np.bool_],
    noise: float,
    scale: int,
    suspect: float = 0.0,
    foot: NDArray[np.bool_] | None = None,
) -> Judgement:
    """Weigh a found alpha against the picture, without knowing how it was found.

    These questions are asked: was the border removed; is a part of it plain, but left; is anything left at all; does
    it lie level along the foot; is what was removed smooth; does an edge separate it from what was left, mostly, and
    without a long stretch where there is none; is that opaque; has nothing that was left, and is enclosed, a backdrop
    colour; is nothing foreign among what was removed, as when a subject was eaten; is nothing left that looks like
    backdrop, as in a gap that was not opened; is little left that hardly differs from it, as grey hair before grey.
    Each answer is a factor in [0, 1], and their product is the confidence.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc` of a small copy of the input; lengths fit a long side near 180.
    visible : ndarray of bool, shape (H, W)
        False where the input was transparent already.
    alpha : ndarray of float32, shape (H, W), in [0, 1]
        The alpha found.
    sides : ndarray of bool, shape (3, H, W)
        From `border_sides`.
    noise : float
        Standard deviation of the picture's noise, in levels, from `noise_level`.
    scale : int
        Side of the small copy's cells in pixels; their means have that much less noise.
    suspect : float
        Share of what was left that is enclosed, of a backdrop colour and yet not plainly backdrop, from `Holes`.
    foot : ndarray of bool, shape (H, W), or None
        Backdrop below the sides, from `Backdrop`: what was removed from there is no eaten subject.

    Returns
    -------
    Judgement
        ``border_share`` is the share of the border's visible pixels that were removed; ``reasons`` says what
        lowers the confidence, and is empty when nothing does.
    """
    strip: NDArray[np.bool_] = np.any(sides, axis=0)
    if not visible.any():
        return Judgement(0.0, 0.0, ("every pixel was transparent already",))
    if not strip.any():
        return Judgement(0.0, 0.0, ("the border was transparent already, so nothing says what the backdrop is",))
    removed = visible & (alpha < 0.5)
    left = visible & ~removed
    share = float(removed[strip].mean())
    steep, outline = slope(colours), dilated(removed, EIGHT) & dilated(left, EIGHT)
    answers = [
        _border(share),
        _second(steep, left, strip),
        _left(left, visible),
        _level(left),
        _smooth(colours, removed, min(noise, LOUDEST) / scale),
        _edge(steep, outline),
        _stretches(steep, outline, left),
        _firm(alpha),
        (_falling(suspect, 0.06, 0.12), f"{suspect:.0%} of what was left has a backdrop colour"),
        *_mistaken(colours, steep, alpha, removed, left, strip if foot is None else strip | foot),
    ]
    confidence = float(np.prod([factor for factor, _ in answers]))
    return Judgement(confidence, share, tuple(said for factor, said in answers if factor < 0.9))


def _border(share: float) -> tuple[float, str]:
    return _falling(1 - share, 0.08, 0.42), f"only {share:.0%} of the border was taken for backdrop"


def _second(steep: NDArray[np.float32], left: NDArray[np.bool_], strip: NDArray[np.bool_]) -> tuple[float, str]:
    """Look for plain parts of the border that were left: a table before the wall, say, or a second light."""
    share = float((left & (steep < PLAIN))[strip].mean())
    return _falling(share, 0.03, 0.1), f"a second plain colour holds {share:.0%} of the border"


def _left(left: NDArray[np.bool_], visible: NDArray[np.bool_]) -> tuple[float, str]:
    share = float(left.sum() / visible.sum())
    if share == 0:
        return 0.0, "nothing stands out from the backdrop"
    if share > 0.5:
        return _falling(share, 0.96, 0.995), f"{share:.1%} of the picture was left"
    return 1 - _falling(share, 0.0002, 0.003), f"only {share:.2%} of the picture was left"


def _level(left: NDArray[np.bool_]) -> tuple[float, str]:
    """Look for what lies level along the whole foot: the edge of a table, where a body would rise."""
    height, width = left.shape
    tall = np.where(left.all(axis=0), height, np.argmin(left[::-1], axis=0))
    edge = int(max(tall[0], tall[-1]))
    low = tall.min() > 0 and edge < LOW * height
    share = float((tall <= edge + 1).sum() / width) if low else 0.0
    return _falling(share, 0.15, 0.35), f"what was left lies level along {share:.0%} of the bottom, as a table does"


def _smooth(colours: NDArray[np.float32], removed: NDArray[np.bool_], noise: float) -> tuple[float, str]:
    """Measure how far what was removed is from its own smooth course, beyond what noise explains."""
    inner = eroded(removed, EIGHT, 2)
    if not inner.any():
        return 1.0, ""
    course, _ = smooth_known(colours, inner, WAVE * max(removed.shape))
    away = np.sqrt(((smooth(colours, 1.0) - course)[:, inner] ** 2).sum(axis=0))
    typical = float(np.sqrt(max(0.0, float(np.median(away)) ** 2 - (NOISE_LEFT * noise) ** 2)))
    return _falling(typical, 1.2, 2.8), f"what was removed is not plain: it varies by {typical:.1f} levels"


def _edge(steep: NDArray[np.float32], outline: NDArray[np.bool_]) -> tuple[float, str]:
    if not outline.any():
        return 1.0, ""
    vague = float((steep[outline] < GENTLE).mean())
    return _falling(vague, 0.3, 0.7), f"along {vague:.0%} of its outline the subject does not stand out"


def _stretches(steep: NDArray[np.float32], outline: NDArray[np.bool_], left: NDArray[np.bool_]) -> tuple[float, str]:
    """Look for an outline that runs where there is no edge: through a white coat before a white wall."""
    labels, _ = components(outline & (highest(steep, 3) < FAINT), corners=True)
    area = np.bincount(labels.ravel())[1:]
    length = float(area[area > STRETCH].sum() / np.sqrt(max(1, left.sum())))
    return _falling(length, 0.55, 0.85), "the outline runs where there is no edge"


def _firm(alpha: NDArray[np.float32]) -> tuple[float, str]:
    """Look for half-transparent areas, wider than an outline: a subject half eaten, or glass and webs."""
    half = _half(alpha)
    wide = dilated(eroded(half, EIGHT), EIGHT, within=half)
    share = float(wide.sum() / max(1, (alpha > CLEAR).sum()))
    return _falling(share, 0.15, 0.25), f"{share:.0%} of the subject came out half transparent"


def _mistaken(
    colours: NDArray[np.float32],
    steep: NDArray[np.float32],
    alpha: NDArray[np.float32],
    removed: NDArray[np.bool_],
    left: NDArray[np.bool_],
    start: NDArray[np.bool_],
) -> list[tuple[float, str]]:
    """Compare all with the backdrop's course: is anything clear unlike it, anything left like it, or barely not."""
    plain = reachable(removed & (steep < GENTLE), start)
    if not plain.any():
        return []
    course, spread = polynomial_course(colours, plain, 2)
    left_over = colours - course
    away = np.sqrt(((left_over - carried(left_over, plain, COURSE)) ** 2).sum(axis=0))
    whole = max(1, int(left.sum()))
    alike = left & (steep < PLAIN_INSIDE) & (away < ALIKE + min(spread, WANDERS))
    faint = min(1.0, float((_half(alpha) & (away < FAINTLY)).sum() / whole))
    return [
        _eaten(away, removed, removed & (alpha < CLEAR) & ~dilated(plain, EIGHT, 2), whole),
        _kept(alike & eroded(left, EIGHT), whole),
        (_falling(faint, 0.12, 0.18), f"{faint:.0%} of what was left is faint, and hardly differs from the backdrop"),
    ]


def _eaten(
    away: NDArray[np.float32], removed: NDArray[np.bool_], beyond: NDArray[np.bool_], whole: int
) -> tuple[float, str]:
    strange = eroded(beyond, EIGHT) & (away > STRANGE)
    eaten = float(dilated(strange, EIGHT, within=removed).sum())
    lost = eaten / (eaten + whole)
    return _falling(lost, 0.04, 0.22), f"{lost:.0%} of what differs from the backdrop was removed with it"


def _kept(alike: NDArray[np.bool_], whole: int) -> tuple[float, str]:
    kept = float(opened(alike, EIGHT).sum() / whole)
    return _falling(kept, 0.008, 0.023), f"{kept:.1%} of what was left looks like the backdrop"


def _half(alpha: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (alpha > CLEAR) & (alpha < 1 - CLEAR)


def _falling(value: float, good: float, bad: float) -> float:
    """Map a value to 1 up to good, to 0 from bad on, and linearly between."""
    return float(np.clip((bad - value) / (bad - good), 0, 1))
