"""The pictures that the benches of the hot folder drop: drawn once, copied often."""

import io
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

import things
from PIL import Image
from scenery import shoot

SUBJECTS = (things.fruit, things.mug, things.bottle, things.rings)  # rings are so thin here that they come out unsure
BACKDROPS = ("flat", "graded", "vignetted")
SMALL = (120, 90)
WIDEST = 480  # pixels that are drawn; more takes a second each


class Original(NamedTuple):
    """What is dropped, and what must come of it."""

    content: bytes
    size: tuple[int, int] | None
    """Width and height of its result; None where there can be none, and a reason is due."""
    pages: int = 1

    def results(self, name: PurePath) -> set[PurePath]:
        """Name the files that an original of this name becomes."""
        if self.pages == 1:
            return {name.with_suffix(".png")}
        return {name.with_suffix(".frames") / f"{name.stem}-{page}.png" for page in range(1, self.pages + 1)}


def picture(number: int, size: tuple[int, int] = SMALL) -> Original:
    """Draw a thing before a plain backdrop, as a JPEG; each number draws another, and large ones are enlarged."""
    subject, backdrop = SUBJECTS[number % len(SUBJECTS)], BACKDROPS[number % len(BACKDROPS)]
    width, height = size
    less = max(1, width / WIDEST)
    drawn = Image.fromarray(shoot(f"stock {number}", subject, backdrop, (int(width / less), int(height / less))).rgb)
    stored = io.BytesIO()
    drawn.resize(size, Image.Resampling.BICUBIC).save(stored, "JPEG", quality=80)
    return Original(stored.getvalue(), size)


def pictures(count: int) -> list[Original]:
    """Draw small pictures, each a pixel wider than the one before, so that no result passes for another's."""
    return [picture(number, (SMALL[0] + number, SMALL[1])) for number in range(count)]


def scans(whole: Sequence[Original], pages: int = 3) -> list[Original]:
    """Make TIFFs of several pages, all alike."""
    made = []
    for one in whole:
        page = Image.open(io.BytesIO(one.content))
        stored = io.BytesIO()
        page.save(stored, "TIFF", save_all=True, append_images=[page] * (pages - 1))
        made.append(Original(stored.getvalue(), one.size, pages))
    return made


def spoilt(whole: Sequence[Original]) -> list[Original]:
    """Make files that no result can come of: half a picture, and a text."""
    halves = [Original(one.content[: len(one.content) // 2], None) for one in whole[:2]]
    return [*halves, Original(b"This is no picture, whatever its name says.\n", None)]
