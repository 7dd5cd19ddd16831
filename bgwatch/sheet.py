"""The article's figure: each picture before, and below it after, with its name and confidence."""

import contextlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from bgwatch.batch import NO_PRIVATE_HOSTS, carry_out
from bgwatch.errors import PictureError, SettingsError, printable
from bgwatch.icc import ProfileError, convert
from bgwatch.imagefile import decode
from bgwatch.inputs.sources import key_of
from bgwatch.job import Outcome
from bgwatch.planning import Plan
from bgwatch.settings import FetchLimits, Output, PictureLimits, WorkerLimits

CELL = 240
MARGIN = 12
LINE = 18
COLUMNS = 8
SQUARE = 8
PAGES = (".html", ".htm")
MADE_BY = "bgwatch sheet"
INK, PAPER, WARNING = "#202020", "#ffffff", "#b03020"


@dataclass(frozen=True)
class Column:
    """One picture of a sheet.

    Attributes
    ----------
    name : str
        Its label.
    state : {"done", "unsure", "failed"}
        What became of it.
    before : PIL.Image.Image or None
        The picture, scaled down; None where there is no cut-out.
    after : PIL.Image.Image or None
        Its cut-out, RGBA, of the same size; None where there is none.
    confidence : float or None
        In [0, 1]; None where there is no cut-out.
    reasons : tuple of str
        Why it is unsure or failed, or notes.
    """

    name: str
    state: Literal["done", "unsure", "failed"]
    before: Image.Image | None = None
    after: Image.Image | None = None
    confidence: float | None = None
    reasons: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """A few words below it."""
        if self.confidence is None:
            return self.state
        return f"confidence {self.confidence:.2f}" + (", unsure" if self.state == "unsure" else "")


def columns_of(
    made: Plan,
    options: dict[str, Any],
    allowed: PictureLimits,
    limits: WorkerLimits,
    count: int,
    side: int,
    fetching: FetchLimits = NO_PRIVATE_HOSTS,
) -> Iterator[tuple[Outcome, Column]]:
    """Cut out what was planned into a temporary folder, and yield a column for each picture as it is done.

    Its pictures have at most ``side`` pixels on either side.
    """
    with TemporaryDirectory(prefix="bgwatch-") as folder:
        targets = {source: Path(folder, f"{number}.png") for number, source in enumerate(made.targets)}
        names = Counter(source.name for source in targets)
        named = {str(source): source.name for source in targets}
        one = allowed if allowed.frames == "refuse" else allowed.model_copy(update={"frames": "first"})
        doing = carry_out(
            replace(made, targets=targets), options, one, limits, Output(), count, fetching=fetching, keep=True
        )
        with closing(doing):
            for outcome, target in doing:
                name = named[outcome.job.source]
                yield outcome, _column(outcome, target, name if names[name] == 1 else outcome.job.called, allowed, side)
                if target:
                    target.unlink()
                    target.with_suffix(".fetched").unlink(missing_ok=True)


class Kind(NamedTuple):
    """A way of showing columns: their size, what is kept of each, and how all become a file.

    Attributes
    ----------
    side : int
        Largest width and height of the pictures, in pixels.
    keep : callable
        Turns each `Column` into what is kept of it until all are there.
    encode : callable
        Turns what was kept, in order, and the background into the pieces of a file.
    """

    side: int
    keep: Callable[[Column], Any]
    encode: Callable[[list[Any], str], Iterable[bytes]]


def check_sheet(out: Path, background: str) -> None:
    """Raise SettingsError unless the sheet's name and background can be used."""
    if out.suffix.lower() not in (".png", *PAGES):
        raise SettingsError(f"{out}: a sheet is a picture or a page; let it end in .png or .html")
    if background != "checkerboard" and not re.fullmatch("#([0-9a-fA-F]{3}){1,2}", background):
        raise SettingsError(f"--on: must be checkerboard or a colour like '#ff00ff', got {background!r}")


def leave_out_sheet(made: Plan, out: Path) -> None:
    """Take an earlier sheet, which the new one replaces, from what is planned.

    Raises
    ------
    SettingsError
        When the new sheet would replace one of the pictures.
    """
    places = [one for one in made.targets if one.name == out.name and key_of(one) == key_of(out)]
    for place in places:
        if out.exists() and not _is_sheet(out):
            raise SettingsError(f"{out}: SHEET is one of the pictures, which are never changed; name another file")
        del made.targets[place]


def _is_sheet(path: Path) -> bool:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get("Software") == MADE_BY
    except OSError:
        return False


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


def encode_sheet(columns: Sequence[Column], background: str) -> list[bytes]:
    """Draw a sheet and encode it as PNG."""
    data = io.BytesIO()
    mark = PngInfo()
    mark.add_text("Software", MADE_BY)
    draw_sheet(columns, background).save(data, "PNG", optimize=True, pnginfo=mark)
    return [data.getvalue()]


PICTURE = Kind(CELL, lambda column: column, encode_sheet)


def _column(outcome: Outcome, target: Path | None, name: str, allowed: PictureLimits, side: int) -> Column:
    reasons = tuple(reason.removeprefix(f"{outcome.job.called}: ") for reason in outcome.reasons)
    if target is None:
        return Column(name, "failed", reasons=reasons)
    try:
        pictures = (
            decode(Path(outcome.job.held or outcome.job.source), allowed),
            decode(target, PictureLimits(max_pixels=allowed.max_pixels)),
        )
    except PictureError as error:  # it has gone since it was cut out
        return Column(name, "failed", reasons=(str(error),))
    state: Literal["done", "unsure"] = "unsure" if outcome.state == "unsure" else "done"
    before, after = (fitted(picture.image, picture.kept.get("icc_profile"), side) for picture in pictures)
    return Column(name, state, before, after.convert("RGBA"), outcome.confidence, reasons)


def fitted(image: Image.Image, profile: bytes | None, side: int) -> Image.Image:
    """Scale an image down, itself, and bring its colours to sRGB; a small one keeps its size."""
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    if profile:
        with contextlib.suppress(ProfileError):  # a broken one: the plain colours are left
            return convert(image, profile, None, "RGBA" if image.mode == "RGBA" else "RGB")
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
    pen.text((x, below + CELL + 2), verdict, INK if column.state == "done" else WARNING, font)


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
