"""Measure what `remove_background` reaches on scenes whose alpha is known.

    python tests/bench/quality.py [--quick] [--only TEXT] [--draw WORD] [--save DIR]

A line for each family gives the means of

    mae      mean absolute error of alpha, x 1000
    iou      intersection over union of alpha > 0.5
    grad     mean squared error of the length of alpha's gradient (Gaussian, sigma 1.4), x 10000
    recol    mean absolute error of the colours, 0..255, once laid on magenta: shows fringes
    conf     confidence: least, then median
    sec      seconds a picture

and then come those that are sure and wrong, how honest the confidence is, and which gaps and pale patches came out
right. Without --quick it takes a few minutes. --draw draws other scenes of the same kinds, one set for each word: no
setting of the engine was chosen on a word that nobody has tried. --save writes a contact sheet a family: the picture,
then the cut-out on black, white and magenta; and every cut-out as PNG.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scenery import NATURAL, Scene, Shot, catalogue, quick
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from bgwatch import remove_background
from bgwatch.settings import Segmentation

SURE = Segmentation().min_confidence
WRONG = 0.9
HARD = "hard"
LEAST_WIDTH = 7  # pixels; what is narrower, as between hairs, is a matter of alpha, not of holes
FORMS = {"mae": "7.2f", "iou": "6.3f", "grad": "6.2f", "recol": "6.2f"}
GROUNDS = {"black": (0, 0, 0), "white": (255, 255, 255), "magenta": (255, 0, 255)}


class Row(NamedTuple):
    """What one picture came to; the figures of alpha are None where there is no truth."""

    name: str
    family: str
    confidence: float
    seconds: float
    mae: float | None = None
    iou: float | None = None
    grad: float | None = None
    recol: float | None = None
    gaps: tuple[int, int] = (0, 0)
    """Gaps that were opened, of all there are."""
    pale: tuple[int, int] = (0, 0)
    """Pale patches that were kept, of all there are."""


def measure(shot: Shot, save: Callable[[Shot, Scene, NDArray[np.uint8]], None] | None = None, draw: str = "") -> Row:
    """Draw a scene, cut it out and compare with the truth."""
    scene = shot.take(draw)
    start = time.perf_counter()
    cutout = remove_background(scene.rgb)
    seconds = time.perf_counter() - start
    if save:
        save(shot, scene, cutout.rgba)
    row = Row(shot.name, shot.family, cutout.confidence, seconds)
    if scene.alpha is None or scene.colour is None or scene.pale is None:
        return row
    found, true = cutout.alpha, scene.alpha
    recoloured = laid(cutout.rgba[..., :3], found) - laid(scene.colour, true)
    return row._replace(
        mae=float(np.abs(found - true).mean() * 1000),
        iou=float(((found > 0.5) & (true > 0.5)).sum() / max(1, ((found > 0.5) | (true > 0.5)).sum())),
        grad=float(((steepness(found) - steepness(true)) ** 2).mean() * 1e4),
        recol=float(np.abs(recoloured).mean()),
        gaps=patches(enclosed(true), found < 0.5),
        pale=patches(scene.pale, found > 0.5),
    )


def laid(rgb: NDArray, alpha: NDArray[np.float32], ground: Sequence[int] = GROUNDS["magenta"]) -> NDArray[np.float32]:
    """Lay straight colours on a ground: (H, W, 3) in 0..255."""
    cover = alpha[..., None]
    return (cover * rgb + (1 - cover) * np.asarray(ground)).astype(np.float32)


def steepness(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the length of alpha's gradient, slightly smoothed."""
    return ndimage.gaussian_gradient_magnitude(alpha, 1.4)


def enclosed(alpha: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find the truth's gaps: backdrop that nothing connects to the border, and wider than slits between hairs."""
    clear = alpha < 0.02
    labels, _ = ndimage.label(clear)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    wide = labels[ndimage.minimum_filter(clear, LEAST_WIDTH, mode="constant")]
    return clear & ~np.isin(labels, rim) & np.isin(labels, wide)


def patches(mask: NDArray[np.bool_], right: NDArray[np.bool_]) -> tuple[int, int]:
    """Count a mask's patches that are right over four fifths of their area, and all of them; specks do not count."""
    labels, count = ndimage.label(mask)
    numbers = np.arange(1, count + 1)
    numbers = numbers[ndimage.sum_labels(mask, labels, numbers) >= LEAST_WIDTH**2]
    shares = ndimage.mean(right, labels, numbers) if len(numbers) else numbers
    return int((np.asarray(shares) > 0.8).sum()), len(numbers)


def sure_and_wrong(rows: Sequence[Row]) -> list[Row]:
    """Select the results that claim to be right and are not."""
    return [row for row in rows if row.iou is not None and row.iou < WRONG and row.confidence >= SURE]


def studio(rows: Sequence[Row]) -> list[Row]:
    """Select plain backdrops with ordinary subjects: what the confidence must be sure of."""
    return [row for row in rows if row.family not in (NATURAL, HARD)]


def natural(rows: Sequence[Row]) -> list[Row]:
    """Select what has no plain backdrop."""
    return [row for row in rows if row.family == NATURAL]


def below(rows: Sequence[Row]) -> float:
    """Give the share of rows that are unsure."""
    return float(np.mean([row.confidence < SURE for row in rows]))


def roc_area(rows: Sequence[Row]) -> float:
    """Give the area under the ROC curve of confidence: plain backdrops against pictures of the world."""
    plain, other = studio(rows), natural(rows)
    truth = [1] * len(plain) + [0] * len(other)
    return float(roc_auc_score(truth, [row.confidence for row in (*plain, *other)]))


def mean(rows: Sequence[Row], figure: str) -> float:
    """Average a figure over the rows that have it."""
    return float(np.mean([value for row in rows if (value := getattr(row, figure)) is not None] or [np.nan]))


def tally(rows: Sequence[Row], kind: str) -> str:
    """Add up the patches of a kind: right ones / all."""
    return "/".join(str(sum(getattr(row, kind)[place] for row in rows)) for place in (0, 1))


def table(rows: Sequence[Row]) -> str:
    """Lay out a line for each family, and one for all that have a truth."""
    lines = [f"{'family':10s} {'n':>3s}     mae    iou   grad  recol   conf          sec    gaps   pale"]
    known = [row for row in rows if row.mae is not None]
    families = {name: [row for row in rows if row.family == name] for name in dict.fromkeys(r.family for r in rows)}
    for name, part in (families | {"all": known} if known else families).items():
        confidence = [row.confidence for row in part]
        figures = " ".join(f"{mean(part, key):{form}}".replace("nan", "  -") for key, form in FORMS.items())
        counts = f"{tally(part, 'gaps'):>7s} {tally(part, 'pale'):>6s}"
        lines.append(
            f"{name:10s} {len(part):3d} {figures}  {min(confidence):.2f} {np.median(confidence):.2f}  "
            f"{np.mean([row.seconds for row in part]):6.2f} {counts}"
        )
    return "\n".join(lines)


def verdict(rows: Sequence[Row]) -> str:
    """Say how honest the confidence was, and name what went wrong."""
    wrong, plain, other = sure_and_wrong(rows), studio(rows), natural(rows)
    lines = [f"sure and wrong (iou < {WRONG}, confidence >= {SURE}): {len(wrong)}"]
    lines += [said(row) for row in wrong]
    for label, part in (("studio", plain), ("natural", other)):
        if part:
            lines.append(f"{label}: {below(part):.1%} of {len(part)} fall below {SURE}")
    lines += [f"    unsure: {row.name}: confidence {row.confidence:.2f}" for row in plain if row.confidence < SURE]
    lines += [f"    sure: {row.name}: confidence {row.confidence:.2f}" for row in other if row.confidence >= SURE]
    if plain and other:
        lines.append(f"area under the ROC curve, studio against natural: {roc_area(rows):.4f}")
    for key, verb in (("gaps", "gaps not opened"), ("pale", "pale patches not kept")):
        missed = [(row.name, *getattr(row, key)) for row in rows if getattr(row, key)[0] < getattr(row, key)[1]]
        lines += [f"{verb}: {name}: {count - right} of {count}" for name, right, count in missed]
    worst = sorted((row for row in rows if row.mae is not None), key=lambda row: -row.mae)[:12]
    lines += ["worst:", *(said(row) for row in worst)]
    return "\n".join(lines)


def said(row: Row) -> str:
    """Describe a row in a line."""
    return f"    {row.name}: mae {row.mae:.1f}, iou {row.iou:.3f}, confidence {row.confidence:.2f}"


class Sheets:
    """Contact sheets, one a family, and the cut-outs themselves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.strips: dict[str, list[Image.Image]] = {}

    def add(self, shot: Shot, scene: Scene, rgba: NDArray[np.uint8]) -> None:
        """Keep a cut-out, and add its strip to its family's sheet."""
        path = self.folder / f"{shot.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgba).save(path, compress_level=1)
        alpha = rgba[..., 3].astype(np.float32) / 255
        pictures = [scene.rgb, *(laid(rgba[..., :3], alpha, ground).astype(np.uint8) for ground in GROUNDS.values())]
        strip = Image.fromarray(np.hstack(pictures))
        strip = strip.resize((1280, round(1280 * strip.height / strip.width)), Image.Resampling.LANCZOS)
        ImageDraw.Draw(strip).text((4, 2), shot.name, (255, 0, 0))
        self.strips.setdefault(shot.family, []).append(strip)

    def write(self) -> None:
        """Write the sheets as ``<family>.png``."""
        for family, strips in self.strips.items():
            sheet = Image.new("RGB", (1280, sum(strip.height for strip in strips)))
            top = 0
            for strip in strips:
                sheet.paste(strip, (0, top))
                top += strip.height
            sheet.save(self.folder / f"{family}.png")


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a third of the scenes")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenes whose name contains this")
    parser.add_argument("--draw", default="", metavar="WORD", help="draw other scenes of the same kinds")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write cut-outs and contact sheets here")
    asked = parser.parse_args()
    shots = [shot for shot in catalogue() if asked.only in shot.name]
    if not shots:
        parser.error(f"--only: no scene's name contains {asked.only!r}")
    sheets = Sheets(asked.save) if asked.save else None
    rows = [measure(shot, sheets and sheets.add, asked.draw) for shot in (quick(shots) if asked.quick else shots)]
    print(table(rows))
    print(verdict(rows))
    if sheets:
        sheets.write()


if __name__ == "__main__":
    main()
