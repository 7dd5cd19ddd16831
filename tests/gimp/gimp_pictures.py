"""The pictures that the GIMP tests cut: drawn here, and a few real ones where they are at hand."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

METHODS = ("threshold", "kmeans", "auto")
CHECKOUT = Path(__file__).parents[2]
HEADSHOTS = CHECKOUT.parent / "shared" / "seed" / "headshots"


def drawn_pictures() -> Iterator[tuple[str, Image.Image]]:
    """Draw a soft-edged disc on a plain backdrop with a little noise, in every kind of 8-bit layer; and a few more."""
    rng = np.random.default_rng(7)
    row, column = np.mgrid[:121, :163]
    inside = np.clip(40.5 - np.hypot(row - 62, column - 80), 0, 1)[..., None]
    subject = np.dstack([200 - column // 2, 30 + row // 2, 40 + 0 * row])
    picture = inside * subject + (1 - inside) * (70, 140, 190) + rng.normal(0, 1.2, (121, 163, 3))
    rgb = np.clip(picture, 0, 255).astype(np.uint8)
    own_alpha = np.clip(3 * column, 0, 255).astype(np.uint8)
    own_alpha[50:70, 100:130] = 0
    grey = rgb[..., 0]
    yield "rgb", Image.fromarray(rgb)
    yield "rgb-alpha", Image.fromarray(np.dstack([rgb, own_alpha]))
    yield "grey", Image.fromarray(grey)
    yield "grey-alpha", Image.fromarray(np.dstack([grey, own_alpha]))
    yield "tall", Image.fromarray(np.tile(rgb, (5, 1, 1))[:, :31])  # more rows than one strip
    yield "pixel", Image.fromarray(rgb[:1, :1])
    yield "row", Image.fromarray(rgb[60:61])
    yield "grey-column", Image.fromarray(np.ascontiguousarray(grey[:, 81:82]))
    yield "grey-wide", Image.fromarray(np.tile(grey, (1, 3))[:53])
    for name in ("logo.png", "mug.jpg", "portrait.jpg"):
        with Image.open(CHECKOUT / "tests" / "pictures" / name) as real:
            small = real.convert("RGB").resize((real.width // 3 | 1, real.height // 3 | 1))
        yield name.split(".")[0], small


def headshots() -> list[Path]:
    """Real photographs, where the project's shared folder lies beside the checkout."""
    return sorted(HEADSHOTS.glob("*.png"))[:2]


def picture_names() -> list[str]:
    return [name for name, _ in drawn_pictures()] + [f"headshot-{path.stem}" for path in headshots()]


def put_pictures(folder: Path) -> None:
    """Save them all in the folder's pictures/."""
    (folder / "pictures").mkdir()
    for name, picture in drawn_pictures():
        picture.save(folder / "pictures" / f"{name}.png")
    for path in headshots():
        shutil.copy(path, folder / "pictures" / f"headshot-{path.name}")
