"""Make the README's picture: the portrait before and after, the latter on a checkerboard."""

from pathlib import Path

import numpy as np
from PIL import Image

from bgwatch import remove_background

HERE = Path(__file__).parent
SQUARE = 16
GAP = 24


def checkerboard(width: int, height: int) -> Image.Image:
    """Draw what transparency is shown on."""
    y, x = np.mgrid[0:height, 0:width] // SQUARE
    return Image.fromarray(np.where((x + y) % 2, 255, 214).astype(np.uint8)).convert("RGBA")


def main() -> None:
    """Write before-after.png beside this script."""
    with Image.open(HERE / "portrait.jpg") as before:
        width, height = before.size
        after = checkerboard(width, height)
        after.alpha_composite(Image.fromarray(remove_background(before).rgba))
        both = Image.new("RGB", (2 * width + GAP, height), "white")
        both.paste(before, (0, 0))
    both.paste(after.convert("RGB"), (width + GAP, 0))
    both.resize((both.width // 2, both.height // 2), Image.Resampling.LANCZOS).save(
        HERE / "before-after.png", optimize=True
    )


if __name__ == "__main__":
    main()
