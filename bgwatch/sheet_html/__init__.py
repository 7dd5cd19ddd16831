"""A page of pictures before and after, whole in one HTML file: it asks nobody for anything."""

import base64
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image, ImageColor

from bgwatch.errors import printable
from bgwatch.sheet import Column, Kind

SIDE = 720  # pixels at most: sharp at twice the width of a column, and small
QUALITY = 80
BACKGROUNDS = ("checkerboard", "black", "white", "magenta")
COLOURS = {"#000000": "black", "#ffffff": "white", "#ff00ff": "magenta"}
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Shown:
    """One picture of a page, encoded: a page of thousands is never in memory as pixels.

    Attributes
    ----------
    name, state : str
        Its label; ``done``, ``unsure`` or ``failed``.
    confidence : float or None
        In [0, 1].
    reasons : tuple of str
        In words.
    before, after : bytes or None
        WebP; None where there is no result.
    """

    name: str
    state: str
    confidence: float | None
    reasons: tuple[str, ...]
    before: bytes | None
    after: bytes | None


def shown(column: Column) -> Shown:
    """Encode a column's pictures, and make its words harmless to look at."""
    reasons = tuple(printable(reason) for reason in column.reasons)
    pictures = (_webp(column.before), _webp(column.after))
    return Shown(printable(column.name), column.state, column.confidence, reasons, *pictures)


def page(columns: Sequence[Shown], background: str) -> Iterator[bytes]:
    """Write a page piece by piece.

    Whatever is put into its template is escaped there; style and script are its own and known to its policy by hash,
    so that nothing else runs, and nothing is loaded.

    Parameters
    ----------
    columns : sequence of Shown
        In the order of the page.
    background : str
        What shows through at first: ``checkerboard`` or a colour like ``#ff00ff``.

    Yields
    ------
    bytes
        UTF-8.
    """
    style = (HERE / "page.css").read_text("utf-8")
    script = (HERE / "page.js").read_text("utf-8")
    if background != "checkerboard":
        background = "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(background))
        background = COLOURS.get(background, background)
    backgrounds: tuple[str, ...] = BACKGROUNDS
    if background not in BACKGROUNDS:
        style += f".on-given, body:has(#on-given:checked) .pair img {{ background: {background}; }}\n"
        background, backgrounds = "given", (*BACKGROUNDS, "given")
    states = Counter(column.state for column in columns)
    template = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html")
    pieces = template.generate(
        columns=columns,
        counts={"all": len(columns), **{state: states[state] for state in ("done", "unsure", "failed")}},
        backgrounds=backgrounds,
        background=background,
        policy=(
            "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
            f"style-src {_hash(style)}; script-src {_hash(script)}"
        ),
        style=Markup(style),
        script=Markup(script),
        uri=_uri,
    )
    return (piece.encode() for piece in pieces)


PAGE = Kind(SIDE, shown, page)


def _webp(image: Image.Image | None) -> bytes | None:
    if image is None:
        return None
    data = io.BytesIO()
    image.save(data, "WEBP", quality=QUALITY)
    return data.getvalue()


def _uri(webp: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp).decode()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
