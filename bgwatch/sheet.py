"""The article's figure: each picture before, and below it after, with its name and confidence."""

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from bgwatch.batch import Plan, carry_out
from bgwatch.errors import SettingsError, printable
from bgwatch.imagefile import decode
from bgwatch.job import Outcome
from bgwatch.settings import Output, PictureLimits, WorkerLimits

CELL = 240
MARGIN = 12
LINE = 18
COLUMNS = 8
SQUARE = 8
INK, PAPER, WARNING = "#202020", "#ffffff", "#b03020"


@dataclass(frozen=True)
class Column:
    """One picture of a sheet.

    Attributes
    ----------
    name : str
        Its label.
    before : PIL.Image.Image or None
        The picture, at most `CELL` pixels on either side; None where it could not be read.
    after : PIL.Image.Image or None
        Its cut-out, RGBA, of the same size; None where there is none.
    verdict : str
        A few words below it.
    sure : bool
        False prints the verdict as a warning.
    """

    name: str
    before: Image.Image | None
    after: Image.Image | None
    verdict: str
    sure: bool


def columns_of(
    made: Plan, options: dict[str, Any], allowed: PictureLimits, limits: WorkerLimits, count: int
) -> Iterator[tuple[Outcome, Column]]:
    """Cut out what was planned into a temporary folder, and yield a column for each picture as it is done."""
    with TemporaryDirectory(prefix="bgwatch-") as folder:
        targets = {source: Path(folder, f"{number}.png") for number, source in enumerate(made.targets)}
        names = Counter(source.name for source in targets)
        doing = carry_out(replace(made, targets=targets), options, allowed, limits, Output(), count)
        with closing(doing):
            for outcome, target in doing:
                source = Path(outcome.job.source)
                name = source.name if names[source.name] == 1 else str(source)
                yield outcome, _column(outcome, target, name, allowed)
                if target:
                    target.unlink()


def check_sheet(out: Path, background: str) -> None:
    """Raise SettingsError unless the sheet's name and background can be used."""
    if out.suffix.lower() != ".png":
        raise SettingsError(f"{out}: a sheet is written as PNG; let it end in .png")
    if background != "checkerboard" and not re.fullmatch("#[0-9a-fA-F]{6}", background):
        raise SettingsError(f"--on: must be checkerboard or a colour like '#ff00ff', got {background!r}")


def draw_sheet(columns: Sequence[Column], background: str) -> Image.Image:
    """Lay out pictures before and after, eight in a row.

    Parameters
    ----------
    columns : sequence of Column
        At least one.
    background : str
        What shows through: ``checkerboard`` or a colour like ``#ff00ff``.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    across = min(len(columns), COLUMNS)
    bands = [columns[start : start + COLUMNS] for start in range(0, len(columns), COLUMNS)]
    width = MARGIN + across * (CELL + MARGIN)
    sheet = Image.new("RGB", (width, MARGIN + len(bands) * _band_height()), PAPER)
    for number, band in enumerate(bands):
        for place, column in enumerate(band):
            _draw_column(sheet, column, MARGIN + place * (CELL + MARGIN), MARGIN + number * _band_height(), background)
    return sheet


def encode_sheet(sheet: Image.Image) -> bytes:
    """Encode a sheet as PNG."""
    data = io.BytesIO()
    sheet.save(data, "PNG", optimize=True)
    return data.getvalue()


def _column(outcome: Outcome, target: Path | None, name: str, allowed: PictureLimits) -> Column:
    if target is None or outcome.confidence is None:
        return Column(name, None, None, "failed", False)
    before = decode(Path(outcome.job.source), allowed).image
    verdict = f"confidence {outcome.confidence:.2f}" + (", unsure" if outcome.state == "unsure" else "")
    with Image.open(target) as after:
        return Column(name, _fitted(before), _fitted(after.convert("RGBA")), verdict, outcome.state == "done")


def _fitted(image: Image.Image) -> Image.Image:
    """Scale a picture down to a cell; a small one stays as it is."""
    image.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
    return image


def _band_height() -> int:
    return 2 * (CELL + LINE) + LINE + 3 * MARGIN


def _draw_column(sheet: Image.Image, column: Column, x: int, y: int, background: str) -> None:
    pen = ImageDraw.Draw(sheet)
    font: Any = ImageFont.load_default(13)
    pen.text((x, y), _shortened(pen, printable(column.name), font), INK, font)
    if column.before:
        sheet.paste(column.before.convert("RGB"), _centred(column.before, x, y + LINE))
    below = y + LINE + CELL + MARGIN
    if column.after:
        back = _background(column.after.size, background)
        back.alpha_composite(column.after)
        sheet.paste(back.convert("RGB"), _centred(column.after, x, below))
    verdict = _shortened(pen, printable(column.verdict), font)
    pen.text((x, below + CELL + 2), verdict, INK if column.sure else WARNING, font)


def _centred(image: Image.Image, x: int, y: int) -> tuple[int, int]:
    return x + (CELL - image.width) // 2, y + (CELL - image.height) // 2


def _shortened(pen: ImageDraw.ImageDraw, text: str, font: Any) -> str:
    """Cut a line that is wider than a cell."""
    if pen.textlength(text, font) <= CELL:
        return text
    while text and pen.textlength(text + "...", font) > CELL:
        text = text[:-1]
    return text + "..."


def _background(size: tuple[int, int], background: str) -> Image.Image:
    if background != "checkerboard":
        return Image.new("RGBA", size, ImageColor.getrgb(background))
    y, x = np.mgrid[0 : size[1], 0 : size[0]] // SQUARE
    return Image.fromarray(np.where((x + y) % 2, 255, 205).astype(np.uint8)).convert("RGBA")
